/** The stand-in for Supabase Auth: sessions outlive the stack, and refresh tokens are swapped as Auth swaps them. */

import { assertEquals, assertNotEquals } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { authApi } from "../../local/auth_api.ts";
import { type Keys, loadKeys } from "../../local/keys.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const URL_OF_PROJECT = "http://auth.local";

let database: TestDatabase;
let keys: Keys;

Deno.test.beforeAll(async () => {
  database = await createTestDatabase();
  const folder = await Deno.makeTempDir();
  keys = await loadKeys(`${folder}/keys.json`);
  await Deno.remove(folder, { recursive: true });
});
Deno.test.afterAll(() => database.drop());

/** A test with the stand-in as a stack starts it. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** The stand-in as one start of the stack has it. */
function start() {
  const issuer = `${URL_OF_PROJECT}/auth/v1`;
  const api = authApi({ keys, issuer, databaseUrl: database.url });
  const client = () =>
    createClient(URL_OF_PROJECT, keys.publishableKey, {
      auth: { persistSession: false, autoRefreshToken: false },
      global: { fetch: (input, init) => api.fetch(new Request(input, init)) },
    }).auth;
  /** Refreshes and returns the next token, or the code of the refusal. */
  const refresh = async (refresh_token: string) => {
    const { data: { session }, error } = await client().refreshSession({ refresh_token });
    return session?.refresh_token ?? error?.code ?? "";
  };
  /** Posts as no client of supabase-js does. */
  const post = (path: string, authorization: string) => {
    const headers = { apikey: keys.publishableKey, authorization };
    return api.fetch(new Request(issuer + path, { method: "POST", headers }));
  };
  return { client, refresh, post, [Symbol.asyncDispose]: () => api.stop() };
}

type Client = ReturnType<ReturnType<typeof start>["client"]>;

async function signIn(client: Client): Promise<string> {
  const { data: { session } } = await client.signInAnonymously();
  return session?.refresh_token ?? "";
}

/** As if a token had been used this long ago. */
async function used(token: string, ago: string): Promise<void> {
  await database.sql`
    update auth.refresh_tokens set updated_at = now() - ${ago}::interval where token = ${token}`;
}

test("a session is refreshed after a restart, stays the same one, and is known by its id", async () => {
  let first: string;
  let sessionId: unknown;
  {
    await using before = start();
    const client = before.client();
    first = await signIn(client);
    sessionId = (await client.getClaims()).data?.claims.session_id;
  }
  await using after = start();
  const client = after.client();
  const { data } = await client.refreshSession({ refresh_token: first });
  assertNotEquals(data.session?.refresh_token ?? first, first);
  assertEquals((await client.getClaims()).data?.claims.session_id, sessionId);
  const [row] = await database.sql`
    select count(*)::int as tokens, count(*) filter (where not revoked)::int as active
    from auth.refresh_tokens where session_id = ${String(sessionId)}`;
  assertEquals({ ...row }, { tokens: 2, active: 1 });
});

test("a client that lost the answer to its refresh gets the same token again, however late", async () => {
  await using stack = start();
  const first = await signIn(stack.client());
  const [second, together] = await Promise.all([stack.refresh(first), stack.refresh(first)]);
  assertEquals(together, second);
  await used(first, "1 hour");
  assertEquals(await stack.refresh(first), second);
});

test("a token that is used again too late ends its session", async () => {
  await using stack = start();
  const first = await signIn(stack.client());
  const second = await stack.refresh(first);
  const third = await stack.refresh(second);
  await used(first, "9 seconds");
  const fourth = await stack.refresh(first);
  assertEquals([first, second, third, "refresh_token_already_used"].includes(fourth), false);
  for (const token of [second, third, fourth]) {
    await used(token, "11 seconds");
    assertEquals(await stack.refresh(token), "refresh_token_already_used");
  }
});

test("a sign-out ends the session, the user's others or all of them", async () => {
  await using stack = start();
  const credentials = { email: "grace@example.org", password: "compiler" };
  const [one, two, three] = [stack.client(), stack.client(), stack.client()];
  await one.signUp(credentials);
  const tokens = async (...clients: Client[]) =>
    await Promise.all(
      clients.map(async (client) =>
        (await client.signInWithPassword(credentials)).data.session?.refresh_token ?? ""
      ),
    );
  const refused = "refresh_token_not_found";

  const [first = "", second = ""] = await tokens(one, two);
  await one.signOut({ scope: "local" });
  assertEquals(await stack.refresh(first), refused);
  assertNotEquals(await stack.refresh(second), refused);

  const [kept = "", other = ""] = await tokens(one, three);
  await one.signOut({ scope: "others" });
  assertEquals(await stack.refresh(other), refused);
  assertNotEquals(await stack.refresh(kept), refused);

  const last = await tokens(one, two, three);
  await one.signOut();
  for (const token of last) assertEquals(await stack.refresh(token), refused);
});

test("an unknown refresh token, an unknown scope and a foreign JWT are refused", async () => {
  await using stack = start();
  assertEquals(await stack.refresh("made-up"), "refresh_token_not_found");
  const signOut = async (scope: string) => {
    const response = await stack.post(`/logout?scope=${scope}`, "Bearer e30.e30.made-up");
    return [response.status, (await response.json()).error_code];
  };
  assertEquals(await signOut("everywhere"), [400, "validation_failed"]);
  assertEquals(await signOut("local"), [403, "bad_jwt"]);
});
