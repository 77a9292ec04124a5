/**
 * Bodies that no client sends on purpose: the functions answer each with a status of the caller's
 * making, write nothing of what they refuse, and give nothing away.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { assertPlainRefusal } from "../support/problems.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";
import { asStranger, asUser, written } from "../support/frontend.ts";

/** Values of the right and of every wrong kind. */
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e308,
    2 ** 53,
    "",
    "\0",
    "\ud800",
    "__proto__",
    "constructor",
    "'; drop table messenger_messages; --",
    "1h",
    "9999999d",
    "2026-01-01T00:00:00Z",
    "275760-09-13T00:00:00.001Z",
    "+275760-09-13T00:00:00.000Z",
    "0000-01-01T00:00:00Z",
    [],
    {},
  ),
);
const type = fc.oneof(
  fc.constantFrom("Note", "Open", "Choosy", "Ruled", "Small", "Secret", "Limited", "toString"),
  anything,
);
const payload = fc.oneof(
  fc.record({ text: anything, team: anything }, { requiredKeys: [] }),
  anything,
);
const schedule = fc.record({
  type: fc.oneof(fc.constantFrom("once", "cron", "interval"), anything),
  config: fc.record(
    {
      at: anything,
      cron: fc.oneof(fc.constantFrom("* * * * *", "0 0 31 2 *"), anything),
      interval: anything,
    },
    { requiredKeys: [] },
  ),
  timezone: anything,
  maxRuns: anything,
  startAt: anything,
  jitter: anything,
  name: anything,
}, { requiredKeys: ["type", "config"] });
const message = fc.record({
  type,
  payload,
  delay: anything,
  availableAt: anything,
  queue: anything,
  priority: anything,
  idempotencyKey: anything,
  groupKey: anything,
  schedule: fc.oneof(schedule, anything),
  surprise: anything,
}, { requiredKeys: ["type", "payload"] });
/** Messages that would pass but for one or two fields, so that these are looked at. */
const nearly = fc.tuple(
  message,
  fc.constantFrom(
    { type: "Note", payload: { text: "x" } },
    { type: "Choosy", payload: {} },
    { type: "Open", payload: { text: "x" } },
    { type: "Ruled", payload: { team: "public" } },
  ),
  fc.subarray(
    [
      "type",
      "payload",
      "delay",
      "availableAt",
      "queue",
      "priority",
      "idempotencyKey",
      "groupKey",
      "schedule",
    ] as const,
    { maxLength: 2 },
  ),
).map(([odd, base, fields]) => ({
  ...base,
  ...Object.fromEntries(fields.map((field) => [field, odd[field]])),
}));
const text = (value: unknown) => JSON.stringify(value) ?? "undefined";
const body = fc.oneof(
  { weight: 4, arbitrary: nearly.map(text) },
  { weight: 2, arbitrary: message.map(text) },
  { weight: 2, arbitrary: fc.array(nearly, { maxLength: 4 }).map(text) },
  { weight: 1, arbitrary: anything.map(text) },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
  // JSON that is cut short, or has a byte changed.
  {
    weight: 1,
    arbitrary: fc.tuple(nearly, fc.nat(60)).map(([value, cut]) => text(value).slice(0, cut)),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 20_000 })
      .map((depth) => `{"type":"Note","payload":${"[".repeat(depth)}${"]".repeat(depth)}}`),
  },
);

const LEAK =
  /sb_secret|\bat [\w./<>]+:\d+:\d+|\.ts:\d|node_modules|postgres(ql)?:\/\/|PGRST|SQLSTATE/;
const LANES = 8;

/** Posts as many bodies as are asked for, some at a time, and checks each answer. */
async function fuzz(
  stack: TestStack,
  path: string,
  headers: Record<string, string>,
  bodies: readonly string[],
  send = (body: string) => stack.post(path, body, headers),
): Promise<Map<number, number>> {
  const seen = new Map<number, number>();
  const queue = [...bodies];
  const lane = async () => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const response = await send(next);
      const answer = await response.text();
      const { status } = response;
      seen.set(status, (seen.get(status) ?? 0) + 1);
      const report = `${status} ${answer}\nto ${next.slice(0, 500)}`;
      assert(status < 500, report);
      assert(!LEAK.test(answer) && !answer.includes(stack.secretKey), report);
      if (status >= 400) assertPlainRefusal(JSON.parse(answer), report);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const logs = stack.logs.join("\n");
  for (const key of [stack.secretKey, headers.authorization ?? stack.secretKey]) {
    assert(!logs.includes(key), "a key or a token stands in the logs");
  }
  return seen;
}

const sample = (count: number, seed: number, of = body) => fc.sample(of, { numRuns: count, seed });

testsOnStack({ env: { SYMPHONY_MAX_BODY_BYTES: "50000" } }, (test) => {
  const callers: [string, number, (stack: TestStack) => Promise<Record<string, string>>][] = [
    ["the secret key", 1_000, (stack) => Promise.resolve({ apikey: stack.secretKey })],
    ["a user", 700, (stack) => asUser(stack)],
    ["a stranger", 500, (stack) => Promise.resolve(asStranger(stack))],
  ];
  for (const [who, count, headers] of callers) {
    test(`dispatch responds to ${count} strange bodies of ${who} without a fault`, async (stack) => {
      const seen = await fuzz(stack, "dispatch", await headers(stack), sample(count, count));
      const accepted = [...seen].filter(([status]) => status < 300);
      assert(accepted.length > 0, "none of them got through: the bodies are too strange");
      await stack.sql`truncate public.messenger_schedules cascade`;
    });
  }

  test("dispatch writes nothing of 500 bodies that it refuses", async (stack) => {
    const user = await asUser(stack);
    for (const body of sample(500, 5)) {
      const response = await stack.post("dispatch", body, user);
      await response.body?.cancel();
      if (response.status < 300) {
        await stack.clear();
        await stack.sql`truncate public.messenger_schedules cascade`;
      } else assertEquals([await written(stack), body], [0, body]);
    }
  });

  test("a user's strange requests for what is their own meet no fault", async (stack) => {
    const user = await asUser(stack);
    const url = (path: string) => `${stack.url}/functions/v1/dispatch/${path}`;
    const daily = { type: "cron", config: { cron: "@daily" } };
    const open = { type: "Open", payload: { text: "x" }, schedule: daily };
    const { scheduleId } = await (await stack.post("dispatch", open, user)).json();
    const own = `schedules/${scheduleId}`;
    const changes = fc.record({ payload, schedule, enabled: anything }, { requiredKeys: [] });
    const changed = await fuzz(
      stack,
      own,
      user,
      sample(300, 7, changes.map(text)),
      (body) =>
        fetch(url(own), {
          method: "PATCH",
          headers: { "content-type": "application/json", ...user },
          body,
        }),
    );
    assert(changed.has(200), "no change got through: the bodies are too strange");

    const id = fc.oneof(fc.nat(20).map(String), fc.string({ unit: "binary" }));
    const asked = fc.oneof(fc.array(id), fc.array(fc.oneof(id, anything)), anything);
    const looks = sample(200, 11, asked.map((ids) => text({ ids })));
    assert((await fuzz(stack, "dispatch/status", user, looks)).has(200), "no look got through");

    const word = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\0", "5", "Open", "pending"),
    );
    const query = fc.dictionary(fc.constantFrom("type", "status", "limit", "cursor", "more"), word)
      .map((given) => String(new URLSearchParams(given)));
    const pages = await fuzz(
      stack,
      "messages",
      user,
      sample(200, 13, query),
      (query) => fetch(url(`messages?${query}`), { headers: user }),
    );
    assert(pages.has(200), "no list got through");
    await stack.sql`truncate public.messenger_schedules cascade`;
  });

  test("tick answers 300 strange bodies without a fault", async (stack) => {
    const bodies = fc.oneof(
      fc.record({
        wait: fc.oneof(fc.boolean(), anything),
        queues: fc.oneof(fc.array(fc.string()), anything),
        tick: fc.oneof(fc.constant("1"), anything),
      }, { requiredKeys: [] }).map(text),
      anything.map(text),
      fc.string({ unit: "binary" }),
    );
    await fuzz(stack, "tick", { apikey: stack.secretKey }, sample(300, 3, bodies));
  });
});
