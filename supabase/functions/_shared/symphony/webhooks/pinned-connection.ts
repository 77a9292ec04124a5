/**
 * A connection to a checked address. `fetch` looks up the name by itself, so that a check before it says nothing
 * about the address that it connects to. Here the socket is opened to the checked address; TLS then verifies the
 * certificate for the name. The address of the open socket is checked again before anything is sent.
 */

import {
  checked,
  checkedAddresses,
  type ConnectionRules,
  isAllowedPrivate,
} from "./host-addresses.ts";

/**
 * Opens a connection to the host of a URL.
 * @param endsAt end of the call, on the clock of performance.now(): the host's addresses share the time until then
 * @param signal closes the connection
 * @throws WebhookRefusedError if the host's address is not public; nothing was sent then
 * @throws the error of the last address, if none could be connected to, or the signal's reason
 */
export async function openConnection(
  url: URL,
  rules: ConnectionRules,
  endsAt: number,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  const isFree = isAllowedPrivate(url, rules);
  const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = isFree ? undefined : await untilAborted(checkedAddresses(url, rules), signal);
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  let problem: unknown;
  const hosts = addresses ?? [name];
  for (const [index, hostname] of hosts.entries()) {
    // An address may accept and stay silent. The last one has all the time that remains.
    const othersToCome = hosts.length - index - 1;
    const shareMs = Math.max(0, endsAt - performance.now()) / (othersToCome + 1);
    const share = othersToCome > 0
      ? AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(shareMs))])
      : signal;
    try {
      const tcp = await untilAborted(Deno.connect({ hostname, port }), share, close);
      return await secured(tcp, url, name, isFree, rules, share);
    } catch (error) {
      if (signal.aborted || !isUnreachable(error)) throw error;
      problem = error;
    }
  }
  throw problem;
}

/** Checks the address of an open socket, and begins TLS for an `https:` URL. */
async function secured(
  tcp: Deno.TcpConn,
  url: URL,
  name: string,
  isFree: boolean,
  rules: ConnectionRules,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  // TLS takes the socket over, and then has to be closed in its place.
  let open: Deno.Conn = tcp;
  try {
    if (!isFree) checked(tcp.remoteAddr.hostname, name, rules);
    if (url.protocol !== "https:") return tcp;
    const { caCerts } = rules;
    const options = { hostname: name, ...(caCerts && { caCerts: [...caCerts] }) };
    const tls = await untilAborted(Deno.startTls(tcp, options), signal, close);
    open = tls;
    await untilAborted(tls.handshake(), signal);
    return tls;
  } catch (error) {
    close(open);
    throw error;
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof Error &&
    /^(ConnectionRefused|TimedOut|TimeoutError|NetworkUnreachable|AddrNotAvailable|ConnectionReset|Error|Other)$/
      .test(error.name);
}

/** Closes a connection that may be closed already. */
export function close(connection: { close(): void }): void {
  try {
    connection.close();
  } catch {
    // It was closed, or TLS has taken it over.
  }
}

/**
 * Waits for a promise until the signal is aborted.
 * @param onLate gets the value if it comes after that
 * @throws the signal's reason
 */
export async function untilAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
  onLate?: (value: Value) => void,
): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  // The promise that loses the race must not become an uncaught rejection.
  promise.then((value) => signal.aborted && onLate?.(value), () => {});
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
