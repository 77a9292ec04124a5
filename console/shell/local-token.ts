/**
 * The token of the command's server: from the hash of the address, which no server gets, into the tab's storage, which
 * belongs to this port alone.
 */

/** Header in which the server expects it. */
const TOKEN_HEADER = "x-symphony-token";
const KEY = "symphony.token";
const HASH = /^#(token|once)=([\w-]{1,200})$/;
const TIMEOUT_MS = 15_000;
/** Longest wait for the token of another tab, in ms. */
const TABS_MS = 500;

let known: string | null = null;

/** Header of a request to the command's server; none on a static host. */
export function tokenHeaders(): Record<string, string> {
  known ??= readStored();
  return known === null ? {} : { [TOKEN_HEADER]: known };
}

/**
 * Takes a token out of an address's hash.
 * @returns its kind and the token; null: it is a place of the console
 */
export function tokenOf(hash: string): { kind: "token" | "once"; token: string } | null {
  const [, kind, token] = HASH.exec(hash) ?? [];
  return token === undefined ? null : { kind: kind === "once" ? "once" : "token", token };
}

/**
 * Takes the token of the address, now and whenever the operator opens another one in this tab.
 * @param onNext called after a further one was taken
 */
export async function takeToken(onNext: () => void): Promise<void> {
  addEventListener("hashchange", async () => {
    if (await enter()) onNext();
  });
  // A link that is opened in another tab finds no token in that tab's storage. Only tabs of this port hear it.
  const others = new BroadcastChannel(KEY);
  others.onmessage = ({ data }) => {
    if (data === "ask" && tokenHeaders()[TOKEN_HEADER]) others.postMessage({ token: known });
  };
  await enter();
}

/** Whether the address had a valid token. */
async function enter(): Promise<boolean> {
  const found = tokenOf(location.hash);
  if (!found) return false;
  // The address must not stay in the browser's history.
  history.replaceState(null, "", "#/");
  const token = found.kind === "token" ? found.token : await exchange(found.token);
  if (token !== null) keep(token);
  return token !== null;
}

/**
 * Asks the console's other tabs for their token.
 * @returns whether one of them has another one than this tab
 */
export async function askOtherTabs(): Promise<boolean> {
  const channel = new BroadcastChannel(KEY);
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const timer = setTimeout(() => resolve(null), TABS_MS);
  channel.onmessage = ({ data }) => {
    const { token }: { token?: unknown } = typeof data === "object" && data ? data : {};
    if (typeof token === "string" && token !== known) resolve(token);
  };
  channel.postMessage("ask");
  const token = await promise;
  clearTimeout(timer);
  channel.close();
  if (token !== null) keep(token);
  return token !== null;
}

function keep(token: string): void {
  known = token;
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // Without a storage it lasts until a reload.
  }
}

/** The session's token for the one that the browser was started with; null: it was used already. */
async function exchange(once: string): Promise<string | null> {
  try {
    const response = await fetch("./session", {
      method: "POST",
      headers: { [TOKEN_HEADER]: once },
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { token }: { token?: unknown } = response.ok ? await response.json() : {};
    return typeof token === "string" ? token : null;
  } catch {
    return null;
  }
}

function readStored(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
