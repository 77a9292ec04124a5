import { assertEquals, assertRejects } from "@std/assert";
import { amqp } from "../../../../supabase/functions/_shared/symphony/amqp.ts";
import { Connector } from "../../../../supabase/functions/_shared/symphony/transport/amqp/connector.ts";
import { freePort } from "../../../../local/process.ts";
import { published } from "../../../contract/engine_sending_contract.ts";

const never = new AbortController().signal;

Deno.test("after a failure a connection is tried again less and less often, and at least every ten seconds", async () => {
  let now = 0;
  const url = `amqp://127.0.0.1:${freePort()}`;
  const connector = new Connector({ url, timeoutMs: 1_000, tls: {} }, () => now, () => 0.5);
  const waits: number[] = [];
  for (let failures = 0; failures < 10; failures++) {
    await assertRejects(() => connector.open(), Error, "ECONNREFUSED");
    const { message } = await assertRejects(() => connector.open(), Error, "is tried again in");
    const waitMs = Number(/in (\d+) ms/.exec(message)?.[1]);
    waits.push(waitMs);
    now += waitMs;
  }
  assertEquals(waits.slice(0, 4), [75, 150, 300, 600]);
  assertEquals(waits.at(-1), 7_500);
});

Deno.test("a url from a function is asked for at each connection, and checked", async () => {
  const given = ["", "nowhere", `amqp://127.0.0.1:${freePort()}`];
  const url = () => Promise.resolve(given.shift() ?? "");
  const connector = new Connector({ url, timeoutMs: 1_000, tls: {} }, () => 0);
  await assertRejects(() => connector.open(), Error, "url: is missing");
  await assertRejects(() => connector.open(), RangeError, "url: has to be amqps://");
  await assertRejects(() => connector.open(), Error, "ECONNREFUSED");
});

Deno.test("a broker that is silent is given up after the timeout", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const url = `amqp://127.0.0.1:${listener.addr.port}`;
  const connector = new Connector({ url, timeoutMs: 100, tls: {} });
  await assertRejects(() => connector.open(), Error, "127.0.0.1");
  (await accepting).close();
});

Deno.test("without a url nothing is published, and the check says so", async () => {
  const engine = amqp({ url: undefined });
  await assertRejects(() => engine.publish([published(1)], never), Error, "url: is missing");
  const [problem] = await engine.check([]);
  assertEquals(problem?.problem, "cannot be used: url: is missing");
  await engine.close();
});

Deno.test("a message of a queue that the transport has not, or that is too large, is refused without a broker", async () => {
  const engine = amqp({ url: undefined, maxBytes: 1_000 });
  const other = published(1, { queue: "other" });
  const large = published(2, { body: { payload: "x".repeat(1_000) } });
  const [first, second] = await engine.publish([other, large], never);
  assertEquals(
    first?.kind === "refused" && String(first.error),
    "RangeError: queue: other is not among the transport's queues",
  );
  assertEquals(second?.kind === "refused" && second.tooLarge, true);
});
