/**
 * Secrets stay out of logs and responses: canaries in payloads, keys and tokens go through everything that
 * the functions do and everything that can go wrong, and the tests search for them in all logs and responses.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { asStranger, asUser } from "../support/frontend.ts";
import { forgeries } from "../support/forgeries.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

// Short, so that a part of it is not overlooked.
const PAYLOAD = "Xq7jKvZ";
const WRONG_KEY = "sb_secret_canaryofawrongkeycanaryof";
const CLAIM = "canary-of-a-claim";
const IDEMPOTENCY_KEY = "canary-of-an-idempotency-key";

/** A response, and the request that it belongs to. */
interface Answer {
  readonly to: string;
  readonly status: number;
  readonly text: string;
}

/** Sends requests and keeps all answers. */
class Recorder {
  readonly answers: Answer[] = [];

  constructor(private readonly stack: TestStack) {}

  /** Sends a request with the secret key, unless headers are given. Returns the response. */
  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = { apikey: this.stack.secretKey },
  ): Promise<Answer> {
    const response = await fetch(`${this.stack.url}/functions/v1/${path}`, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text() + JSON.stringify([...response.headers]);
    const answer = { to: `${method} ${path}`, status: response.status, text };
    this.answers.push(answer);
    return answer;
  }

  /** The statuses that came back, each once. */
  get statuses(): number[] {
    return [...new Set(this.answers.map(({ status }) => status))].sort();
  }
}

const note = { type: "Note", payload: { text: PAYLOAD }, delay: "1h" };
const schedule = { type: "Note", payload: { text: PAYLOAD } };

/** Bodies that are refused, and hold the canary. */
const BAD_BODIES: unknown[] = [
  { type: "Note", payload: { text: [PAYLOAD] } },
  { type: "Note", payload: PAYLOAD },
  { type: "Count", payload: { n: PAYLOAD } },
  { type: "Small", payload: { text: PAYLOAD } },
  { type: "Nowhere", payload: { text: PAYLOAD } },
  { type: "Note", payload: { text: PAYLOAD }, delay: "1h", availableAt: "2999-01-01T00:00:00Z" },
  [{ type: "Note", payload: { text: PAYLOAD } }, { type: "Note", payload: { text: 5 } }],
  { ...schedule, schedule: { type: "cron", config: { cron: "nonsense" } } },
  `{"type":"Note","payload":{"text":"${PAYLOAD}`,
  `{"type":"Note","payload":{"text":${PAYLOAD}}}`,
  `{"type":"Note","payload":{"text":"${PAYLOAD}"}} x`,
  PAYLOAD,
  `"${PAYLOAD}"`,
];

/** Dispatches of all kinds, let in and refused, and following. */
async function dispatchAll(stack: TestStack, to: Recorder, user: Record<string, string>) {
  for (const headers of [undefined, user, asStranger(stack)]) {
    for (const body of BAD_BODIES) await to.send("POST", "dispatch", body, headers);
    await to.send("POST", "dispatch", { type: "Open", payload: { text: PAYLOAD } }, headers);
    await to.send("POST", "dispatch", { type: "Secret", payload: { text: PAYLOAD } }, headers);
    await to.send("POST", "dispatch", { type: "Ruled", payload: { team: "throws" } }, headers);
    await to.send("POST", "dispatch", { type: "Limited", payload: { text: PAYLOAD } }, headers);
  }
  for (let n = 0; n < 4; n++) {
    await to.send("POST", "dispatch", { type: "Limited", payload: { text: PAYLOAD } }, user);
  }
  const keyed = { type: "Note", payload: { text: PAYLOAD }, idempotencyKey: IDEMPOTENCY_KEY };
  const { text } = await to.send("POST", "dispatch", keyed, user);
  const [id] = /\d+/.exec(text) ?? [];
  await to.send("GET", `dispatch/${id}`, undefined, user);
  await to.send("GET", `dispatch/${id}`, undefined, await asUser(stack));
}

/** Every credential that is wrong, at every function. */
async function knock(to: Recorder, tokens: readonly string[]) {
  const headers = [
    { apikey: WRONG_KEY },
    { authorization: `Bearer ${WRONG_KEY}` },
    ...tokens.map((token) => ({ authorization: `Bearer ${token}` })),
  ];
  for (const wrong of headers) {
    await to.send("POST", "dispatch", note, wrong);
    await to.send("POST", "tick", {}, wrong);
    await to.send("GET", "messenger/queues", undefined, wrong);
    await to.send("POST", "messenger/schedules", schedule, wrong);
  }
}

/** Ticks that handle, retry and bury, also while the database refuses what they write. */
async function tickThrough(stack: TestStack, to: Recorder) {
  const { sql } = stack;
  await sql`select public.messenger_dispatch('Note', ${sql.json({ text: [PAYLOAD] })})`;
  await sql`select public.messenger_dispatch('Fail', ${sql.json({ text: PAYLOAD })})`;
  await sql`select public.messenger_dispatch('Fail', ${sql.json({ until: PAYLOAD })})`;
  await to.send("POST", "tick", {});
  await sql`update public.messenger_messages set available_at = now() where type = 'Fail'`;
  await to.send("POST", "tick", { queues: [PAYLOAD] });

  const constraint = `check (payload::text not like '%${PAYLOAD}%') not valid`;
  await sql.unsafe(`alter table public.messenger_messages add constraint no_birds ${constraint}`);
  await to.send("POST", "dispatch", { type: "Note", payload: { text: PAYLOAD } });
  await sql`alter table public.messenger_messages drop constraint no_birds`;

  await sql`select public.messenger_dispatch('Count', ${sql.json({ n: PAYLOAD })})`;
  await sql.unsafe(
    `alter table public.messenger_failed_messages add constraint no_birds ${constraint}`,
  );
  await to.send("POST", "tick", {});
  await sql`alter table public.messenger_failed_messages drop constraint no_birds`;
}

/** Operators' requests. Returns the requests whose responses show them a payload. */
async function operate(to: Recorder): Promise<Answer[]> {
  const created = await to.send("POST", "messenger/schedules", {
    ...schedule,
    schedule: { type: "cron", config: { cron: "@daily" } },
  });
  const { id } = JSON.parse(created.text.split("[[")[0] ?? "");
  const waiting = await to.send("POST", "dispatch", note);
  const [message] = /\d+/.exec(waiting.text) ?? [];
  const { text } = await to.send("GET", "messenger/failed-messages");
  const [, failed] = /"id":"(\d+)"/.exec(text) ?? [];
  const shown = [
    created,
    await to.send("GET", `messenger/schedules/${id}`),
    await to.send("PATCH", `messenger/schedules/${id}`, { payload: { text: `${PAYLOAD} again` } }),
    await to.send("POST", `messenger/schedules/${id}/pause`, {}),
    await to.send("POST", `messenger/schedules/${id}/resume`),
    await to.send("GET", `messenger/messages/${message}`),
    await to.send("GET", `messenger/failed-messages/${failed}`),
  ];
  await to.send("POST", `messenger/schedules/${id}/trigger`, {});
  for (const list of ["schedules", "messages", "queues", "actions", "stats", "metrics", "health"]) {
    await to.send("GET", `messenger/${list}`);
  }
  await to.send("PATCH", `messenger/schedules/${id}`, { payload: { text: [PAYLOAD] } });
  await to.send("PATCH", `messenger/schedules/${id}`, `{"payload":${PAYLOAD}`);
  const edited = `messenger/failed-messages/${failed}/redrive`;
  for (const payload of [{ text: [PAYLOAD] }, { text: PAYLOAD }]) {
    await to.send("POST", edited, { payload });
  }
  await to.send("POST", "messenger/messages/cancel", { type: "Note" });
  await to.send("DELETE", `messenger/schedules/${id}`);
  await to.send("GET", "messenger/actions");
  return shown;
}

testsOnStack({ env: { SYMPHONY_LOG_LEVEL: "debug" } }, (test) => {
  test("no payload, key or token is in any log, nor in an answer but those that show operators a payload", async (stack) => {
    const to = new Recorder(stack);
    const claims = { appMetadata: { note: CLAIM }, userMetadata: { note: CLAIM } };
    const user = await asUser(stack, claims);
    const token = user.authorization?.replace("Bearer ", "") ?? "";
    const forged = (await forgeries(stack, claims)).map(([, forgery]) => forgery)
      .filter((forgery) => forgery.length > 20);

    await dispatchAll(stack, to, user);
    await knock(to, forged);
    await tickThrough(stack, to);
    const shown = await operate(to);

    // The scenario has gone everywhere that it was to go.
    assertEquals(to.statuses, [200, 201, 202, 400, 401, 403, 404, 429, 500]);
    const logs = stack.logs.join("\n");
    for (const event of ["request_failed", "access_rule_failed", "settle_refused", '"tick"']) {
      assertStringIncludes(logs, event);
    }
    for (const { to, text } of shown) assertStringIncludes(text, PAYLOAD, to);

    const secrets = [stack.secretKey, WRONG_KEY, CLAIM, IDEMPOTENCY_KEY, token, ...forged];
    const whole = [...secrets, ...secrets.flatMap((secret) => secret.split(".").slice(1))]
      .filter((secret) => secret !== "");
    for (const secret of whole) {
      assertEquals(stack.logs.filter((line) => line.includes(secret)), []);
      assertEquals(to.answers.filter(({ text }) => text.includes(secret)), []);
    }
    assertEquals(stack.logs.filter((line) => line.includes(PAYLOAD)), []);
    assertEquals(
      to.answers.filter((answer) => answer.text.includes(PAYLOAD) && !shown.includes(answer)),
      [],
    );
  });

  test("the secret key is in no table of the bus and in no job's command", async (stack) => {
    await stack.dispatch(note);
    await stack.sql`select public.messenger_tick()`;
    await stack.tick();
    const tables = await stack.sql<{ name: string }[]>`
      select c.oid::regclass::text as name from pg_class c
      where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'cron'::regnamespace)`;
    assert(tables.length > 10);
    for (const { name } of tables) {
      const rows = await stack.sql.unsafe(
        `select t::text as row from ${name} t where t::text like '%sb_secret_%'`,
      );
      assertEquals([name, ...rows], [name]);
    }
  });
});
