/** Calls between a worker and its database fail: outcomes are kept, and repeated while leases hold. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { z } from "zod";
import {
  createMessenger,
  defineMessage,
  RecoverableError,
  TransportError,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

type Answer = (request: string) => Response | undefined;

/** A client whose calls of functions are answered by `answer` where it has an answer. */
function clientBehind(stack: TestStack, answer: Answer) {
  return createClient(stack.url, stack.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: {
      fetch: (url, init) =>
        Promise.resolve(answer(new URL(String(url)).pathname.split("/").at(-1) ?? "")).then(
          (response) => response ?? fetch(url, init),
        ),
    },
  });
}

/** A messenger behind faults; its handler records what it ran. */
function messengerBehind(stack: TestStack, answer: Answer, handle?: () => Promise<void>) {
  const runs: unknown[] = [];
  const lines: Record<string, unknown>[] = [];
  const message = defineMessage({
    type: "Run",
    schema: z.unknown(),
    retry: { maxRetries: 3, delay: 1 },
    handler: async (payload) => {
      runs.push(payload);
      await handle?.();
    },
  });
  const messenger = createMessenger({
    supabase: clientBehind(stack, answer),
    messages: [message],
    config: readConfig(() => undefined),
    log: createLogger({ level: "debug", write: (_, line) => lines.push(JSON.parse(line)) }),
  });
  return { messenger: { ...messenger, ...createWorker(messenger) }, runs, lines };
}

/** Replaces the responses of a number of settle calls. */
function settlesAnsweredBy(times: number, make: () => Response): Answer {
  return (name) => name.startsWith("messenger_settle") && times-- > 0 ? make() : undefined;
}

const FOREIGN: readonly [what: string, make: () => Response][] = [
  ["an empty 404", () => new Response("", { status: 404 })],
  ["a page with 502", () => new Response("<html>Bad gateway</html>", { status: 502 })],
  ["a page with 404", () => new Response("<html>Not found</html>", { status: 404 })],
  ["a page with 200", () => new Response("<html>Maintenance</html>")],
  ["nothing with 200", () => new Response("")],
  ["nothing with 204", () => new Response(null, { status: 204 })],
  ["null with 200", () => Response.json(null)],
  ["a gateway's JSON with 200", () => Response.json({ status: "maintenance" })],
  ["an empty list with 200", () => Response.json([])],
  ["a text as JSON with 200", () => Response.json("ok")],
  ["a list of a gateway's with 200", () => Response.json([{ status: "ok" }])],
  ["a page with 429", () => new Response("slow", { status: 429, headers: { "retry-after": "1" } })],
  ["an empty list with 404", () => Response.json([], { status: 404 })],
  ["a gateway's JSON with 404", () => Response.json({ message: "no Route" }, { status: 404 })],
  ["a gateway's JSON with 401", () => Response.json({ code: 401 }, { status: 401 })],
  [
    "an answer that was cut off",
    () => new Response('{"stale": [', { headers: { "content-type": "application/json" } }),
  ],
  [
    "a stale schema cache",
    () =>
      Response.json({ code: "PGRST202", message: "Could not find the function" }, { status: 404 }),
  ],
];

testsOnStack({}, (test) => {
  for (const [what, make] of FOREIGN) {
    test(`a settle call that is answered with ${what} is repeated, and nothing runs twice`, async (stack) => {
      const { messenger, runs } = messengerBehind(stack, settlesAnsweredBy(2, make));
      await messenger.bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "Run", payload })));
      const report = await messenger.work({ budgetMs: 5_000 });
      assertEquals([report.handled, runs, await stack.count()], [3, [1, 2, 3], 0]);
    });
  }

  for (const [what, make] of FOREIGN) {
    test(`a claim and a dispatch that are answered with ${what} fail as unavailable`, async (stack) => {
      const transport = new SupabaseTransport(clientBehind(stack, make));
      const claim = { token: crypto.randomUUID(), maxMessages: 1, leaseMs: 60_000 };
      const calls = [
        () => transport.claim(claim),
        () => transport.send([{ type: "Run", payload: 1 }]),
        () => transport.settle([]),
        () => transport.extendLeases([], 60_000),
        () => transport.reserveIds(1),
        () => transport.loadSteps([]),
        () => transport.saveSteps([]),
        () => transport.readEvents([]),
        () => transport.emit("paid", null),
      ];
      for (const call of calls) {
        const error = await assertRejects(call, TransportError);
        assertEquals(error.retryable, true);
      }
    });
  }

  test("a message that is handled while the function to settle it is missing runs once", async (stack) => {
    const { sql } = stack;
    const rename = async (from: string, to: string) => {
      await sql.unsafe(`alter function public.${from}(jsonb) rename to ${to}`);
      await sql`notify pgrst, 'reload schema'`;
    };
    const { messenger, runs, lines } = messengerBehind(
      stack,
      () => undefined,
      () => rename("messenger_settle", "messenger_settle_elsewhere"),
    );
    await messenger.bus.dispatchAll([{ type: "Run", payload: 1 }]);
    const work = messenger.work({ budgetMs: 20_000 });
    try {
      await eventually(
        () => Promise.resolve(lines.some(({ event }) => event === "call_repeated")),
        (isRepeated) => isRepeated,
      );
    } finally {
      await rename("messenger_settle_elsewhere", "messenger_settle");
    }
    assertEquals((await work).handled, 1);
    assertEquals([runs, await stack.count()], [[1], 0]);
  });

  test("a settle call that takes too long is split until it passes", async (stack) => {
    const { sql } = stack;
    await sql.unsafe(`
      create function public.test_too_long() returns trigger language plpgsql as $$
      begin
        if (select count(*) from gone) > 7 then
          raise sqlstate '57014' using message = 'canceling statement due to statement timeout';
        end if;
        return null;
      end $$;
      create trigger test_too_long after delete on public.messenger_messages
        referencing old table as gone for each statement execute function public.test_too_long();
    `);
    try {
      const { messenger, runs } = messengerBehind(stack, () => undefined);
      await messenger.bus.dispatchAll(
        Array.from({ length: 50 }, (_, payload) => ({ type: "Run", payload })),
      );
      const report = await messenger.work({ budgetMs: 10_000 });
      assertEquals([report.handled, runs.length, await stack.count()], [50, 50, 0]);
    } finally {
      await sql.unsafe(`drop function public.test_too_long cascade`);
    }
  });

  test("a row that another session keeps locked holds back no other outcome", async (stack) => {
    const { sql } = stack;
    const session = await sql.reserve();
    let isLocked: Promise<unknown> | undefined;
    const { messenger, runs } = messengerBehind(stack, () => undefined, async () => {
      await (isLocked ??= session.unsafe(
        "begin; select from public.messenger_messages order by id limit 1 for key share",
      ).simple());
    });
    await sql`alter function public.messenger_settle(jsonb) set lock_timeout = '50ms'`;
    try {
      await messenger.bus.dispatchAll(
        Array.from({ length: 20 }, (_, payload) => ({ type: "Run", payload })),
      );
      const work = messenger.work({ budgetMs: 10_000 });
      await eventually(() => stack.count(), (count) => count === 1);
      await session`commit`;
      assertEquals([(await work).handled, runs.length, await stack.count()], [20, 20, 0]);
    } finally {
      await session`rollback`;
      session.release();
      await sql`alter function public.messenger_settle(jsonb) reset lock_timeout`;
    }
  });

  for (const code of ["XX000", "54000", "22003", "23514", "P0001"]) {
    test(`a row whose retry is refused with ${code} is dead with the reason, and the others go their way`, async (stack) => {
      const { sql } = stack;
      await sql.unsafe(`
        create function public.test_refuse() returns trigger language plpgsql as $$
        begin
          raise sqlstate '${code}' using message = 'this row cannot be written';
        end $$;
        create trigger test_refuse before update on public.messenger_messages for each row
          when (old.status = 'processing' and new.status = 'pending' and old.payload = '3')
          execute function public.test_refuse();
      `);
      try {
        let failing = true;
        const { messenger } = messengerBehind(stack, () => undefined, () => {
          if (failing) throw new RecoverableError("later", { retryDelay: "1h" });
          return Promise.resolve();
        });
        await messenger.bus.dispatchAll(
          Array.from({ length: 9 }, (_, payload) => ({ type: "Run", payload })),
        );
        const report = await messenger.work({ budgetMs: 5_000 });
        assertEquals([report.retried, report.failed], [8, 1]);
        const [letter] = await sql`
          select payload, reason, error from public.messenger_failed_messages`;
        assertEquals([letter?.payload, letter?.reason], [3, "unrecoverable"]);
        assert(String(letter?.error).includes("this row cannot be written"), letter?.error);
        failing = false;
        await sql`update public.messenger_messages set available_at = now() where true`;
        assertEquals((await messenger.work({ budgetMs: 5_000 })).handled, 8);
      } finally {
        await sql.unsafe(`drop function public.test_refuse cascade`);
      }
    });
  }

  test("odd rows written in SQL are handled, or dead with a reason, and hold up no other message", async (stack) => {
    const { sql } = stack;
    await sql`insert into public.messenger_messages
      (type, payload, available_at, created_at, expires_at, stamps, attempts, retry_count, errors)
      values
      ('Run', '1', '-infinity', now(), null, null, 0, 0, null),
      ('Run', '2', now(), '-infinity', 'infinity', 'null', 0, 0, null),
      ('Run', '3', '4000-01-01 BC', 'infinity', null, '[1]', 2147483647, 0, '{"a":1}'),
      ('Run', '4', now(), now(), '-infinity', '"text"', 0, 0, '5'),
      ('Run', '5', now(), now(), null, '{"handledBy":5}', -5, -3, '[null]'),
      ('Run', '6', now(), now(), null, '{"handledBy":[null,1],"redriven":"x"}', 0, 2147483647, 'null'),
      ('Unknown', '7', now(), now(), null, '{"redriven":"x","unknownType":{"times":99,"attempt":0}}', 0, 0, '"x"'),
      ('Run', '8', now(), now(), null, null, 0, 0, null)`;
    const { messenger, runs } = messengerBehind(stack, () => undefined);
    const report = await messenger.work({ budgetMs: 5_000 });
    assertEquals([report.claimed, report.handled + report.failed], [8, 8]);
    assertEquals(runs.toSorted(), [1, 2, 3, 5, 6, 8]);
    const letters =
      await sql`select payload, reason from public.messenger_failed_messages order by id`;
    assertEquals(letters.map(({ payload, reason }) => [payload, reason]), [
      [4, "expired"],
      [7, "unknown_type"],
    ]);
  });

  test("stamps that SQL has nested too deeply to be written again do not hold back other outcomes", async (stack) => {
    const { sql } = stack;
    await sql`insert into public.messenger_messages (type, payload, stamps) values
      ('Unknown', '1', (repeat('{"a":', 6000) || '1' || repeat('}', 6000))::jsonb),
      ('Run', '2', null)`;
    const { messenger, runs } = messengerBehind(stack, () => undefined);
    const report = await messenger.work({ budgetMs: 500 });
    assertEquals([report.claimed, report.handled, report.retried, runs], [2, 1, 1, [2]]);
  });
});
