/** The package's client beside its source: what callers get of it has the same properties, whatever is shortened inside. */

import { assertEquals, assertNotEquals } from "@std/assert";
import * as source from "../../../client/mod.ts";
import { writeFrontends } from "../../../package/javascript.ts";
import { fakePage } from "../../support/fake_page.ts";
import { type FakeRequest, fakeSupabase, refusal } from "../../support/fake_supabase.ts";
import { state } from "../../support/followed.ts";

const folder = await Deno.makeTempDir();
Deno.test.beforeAll(async () => void await writeFrontends(folder));
Deno.test.afterAll(async () => await Deno.remove(folder, { recursive: true }));

/** Names that the package shortens, and the short ones, as names of a user's own. */
const OWN = Object.fromEntries(
  [..."abcdefghijklmnop", "adjust", "failure", "isOn", "known", "owner", "put", "tell", "toldAt"]
    .map((name, index) => [name, { [name]: index }]),
);

/** The names of all properties below a value, and the texts. */
function propertiesOf(value: unknown, seen = new Set<unknown>()): unknown {
  if (typeof value === "string") return /^[\d-]{20,}$/.test(value) ? "a key" : value;
  if (typeof value !== "object" || value === null) return typeof value;
  if (seen.has(value)) return "seen";
  seen.add(value);
  return Reflect.ownKeys(value).filter((name) => name !== "stack").map((
    name,
  ) => [String(name), propertiesOf((value as Record<PropertyKey, unknown>)[name], seen)]);
}

function answer({ name, body }: FakeRequest): unknown {
  if (name === "dispatch/batches") return { batchId: "8", total: 1 };
  if (name === "dispatch/status") {
    const { ids } = body as { ids: string[] };
    const progress = { value: 1, note: "half", at: "2026-11-24T10:00:00Z" };
    const messages = ids.filter((id) => id !== "9").map((id) => {
      const status = id === "2" ? "retrying" : "handled";
      return state(id, { status, attempt: 1, result: OWN, progress });
    });
    return { messages, missing: ids.filter((id) => id === "9") };
  }
  const { type } = body as { type?: string };
  if (type === "Forbidden") throw refusal({ status: 403, body: { code: "forbidden" } });
  if (type === "Limited") throw refusal({ status: 429, headers: { "retry-after": "5" } });
  if (type === "Lost") throw refusal({ status: 0 });
  return { ids: ["1", "2"], scheduleId: "7" };
}

/** Uses all of a client, and returns what it gave and what it sent. */
async function used({ createMessengerClient, createBatches, createDispatcher }: typeof source) {
  using page = fakePage();
  const { supabase, requests, signIn } = fakeSupabase(answer, "ann");
  const messenger = createMessengerClient(supabase, { live: false, retries: 0 });
  const batches = createBatches(supabase);
  const caught = (promise: Promise<unknown>) => promise.catch((error) => error);
  const views: unknown[] = [];
  const follow = async (id: string) => {
    const observer = messenger.observe(id);
    const stop = observer.subscribe(() => views.push([observer, observer.get()]));
    await page.advance(100);
    return stop;
  };
  const stops = [await follow("1"), await follow("2"), await follow("9")];
  signIn(null);
  signIn("ann");
  await page.advance(2_000);
  for (const stop of stops) stop();
  const states = messenger.follow("1");
  const first = states.next();
  const unknown = caught(messenger.finished("9"));
  await page.advance(100);
  const message = { type: "Any", payload: OWN };
  const results = [
    await first,
    await states.return(),
    await unknown,
    await messenger.dispatch("Any", OWN),
    await messenger.dispatchAll([message, message]),
    await createDispatcher(supabase).dispatch("Any", OWN),
    await messenger.statuses(["1", "9"]),
    await messenger.schedules.create("Any", OWN, { type: "interval", config: { interval: "1h" } }),
    await batches.create([message], { name: "owner", onFinished: message }),
    ...await Promise.all([
      ...["Forbidden", "Limited", "Lost"].map((type) => caught(messenger.dispatch(type, OWN))),
      caught(messenger.dispatchAll([{ type: "Lost", payload: OWN }])),
      caught(messenger.status("9")),
      caught(messenger.dispatch("Any", 1n)),
    ]),
  ];
  return {
    got: propertiesOf([messenger, batches, states, views, results]),
    sent: requests.map(({ name, method, body }) => [name, method, propertiesOf(body)]),
  };
}

Deno.test("objects and requests of the package have the names that those of the source have", async () => {
  const built: typeof source = await import(`file://${folder}/lib/client.js`);
  assertNotEquals(built.createMessengerClient, source.createMessengerClient);
  assertEquals(Object.keys(built).sort(), Object.keys(source).sort());
  const [expected, actual] = [await used(source), await used(built)];
  assertEquals(actual.got, expected.got);
  assertEquals(actual.sent, expected.sent);
  assertEquals(JSON.stringify(expected).includes("toldAt"), true);
});
