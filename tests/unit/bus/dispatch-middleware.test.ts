/** Dispatch middleware: its methods and its results are checked. */

import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  InvalidPayloadError,
  type Middleware,
  UnknownMessageTypeError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { workbench } from "../../support/worker.ts";

const Mail = defineMessage({
  type: "Mail",
  schema: z.object({ to: z.string() }),
  ttl: "1h",
  handler: () => {},
});
const middlewares: [
  string,
  NonNullable<Middleware["dispatch"]>,
  new (...args: never[]) => Error,
  string,
][] = [
  [
    "nothing",
    () => undefined as never,
    TypeError,
    "middleware: dispatch has to return the message",
  ],
  ["an empty object", () => ({}) as never, UnknownMessageTypeError, "no message is defined"],
  ["an unknown type", (m) => ({ ...m, type: "Nope" }), UnknownMessageTypeError, "Nope"],
  [
    "another payload that does not fit",
    (m) => ({ ...m, payload: { to: 5 } }),
    InvalidPayloadError,
    "payload.to",
  ],
  [
    "a payload that is not JSON",
    (m) => ({ ...m, payload: { to: 1n } }),
    InvalidPayloadError,
    "payload.to",
  ],
  ["a wrong queue", (m) => ({ ...m, queue: "no queue" }), RangeError, "queue: "],
  [
    "an unknown field",
    (m) => ({ ...m, delay: "1h" }) as never,
    RangeError,
    "middleware: delay: no such",
  ],
  ["a negative delay", (m) => ({ ...m, delayMs: -1 }), RangeError, "delay: "],
  [
    "stamps that cannot be stored",
    (m) => ({ ...m, stamps: { f: () => {} } }),
    RangeError,
    "stamps.f: ",
  ],
];
for (const [what, dispatch, error, message] of middlewares) {
  Deno.test(`dispatch middleware that returns ${what} is refused, and nothing is sent`, async () => {
    const { bus, memory } = workbench([Mail], { middleware: [{ dispatch }] });
    await assertRejects(() => bus.dispatch(Mail, { to: "a" }), error, message);
    assertEquals(memory.messages.length, 0);
  });
}

Deno.test("dispatch middleware with methods is called on its object, and may change what is sent", async () => {
  class Stamping implements Middleware {
    readonly #tenant = "acme";
    dispatch: NonNullable<Middleware["dispatch"]> = (message) => this.stamp(message);
    stamp(message: Parameters<NonNullable<Middleware["dispatch"]>>[0]) {
      return { ...message, payload: { to: "b" }, stamps: { tenant: this.#tenant } };
    }
  }
  class Counting implements Middleware {
    calls = 0;
    dispatch(message: Parameters<NonNullable<Middleware["dispatch"]>>[0]) {
      this.calls++;
      return message;
    }
  }
  const counting = new Counting();
  const { bus, memory } = workbench([Mail], { middleware: [new Stamping(), counting] });
  await bus.dispatch(Mail, { to: "a" });
  assertEquals(counting.calls, 1);
  assertEquals(memory.messages[0]?.payload, { to: "b" });
  assertEquals(memory.messages[0]?.stamps, { tenant: "acme" });
});

Deno.test("dispatch middleware that changes the payload changes the lane, unless a queue or a lane is chosen", async () => {
  const Report = defineMessage({
    type: "Report",
    schema: z.object({ team: z.string() }),
    queue: "reports",
    lane: ({ team }) => team,
    handler: () => {},
  });
  const queues = async (...middleware: NonNullable<Middleware["dispatch"]>[]) => {
    const { bus } = workbench([Report], {
      middleware: middleware.map((dispatch) => ({ dispatch })),
    });
    const queue = async (options = {}) =>
      (await bus.prepare({ type: "Report", payload: { team: "acme" }, options })).queue;
    return [await queue(), await queue({ lane: "vip" }), await queue({ queue: "slow/all" })];
  };
  assertEquals(
    await queues((m) => ({ ...m, payload: { team: "globex" } }), (m) => m),
    ["reports/globex", "reports/vip", "slow/all"],
  );
  const inPlace: Middleware["dispatch"] = (m) => {
    (m.payload as { team: string }).team = "globex";
    return m;
  };
  assertEquals((await queues(inPlace))[0], "reports/globex");
  assertEquals(
    await queues((m) => ({ ...m, queue: "other" }), (m) => ({ ...m, payload: { team: "globex" } })),
    ["other", "other", "other"],
  );
});

Deno.test("a message that middleware returns keeps fields that getters or a prototype give", async () => {
  type Message = Parameters<NonNullable<Middleware["dispatch"]>>[0];
  class Wrapped {
    constructor(private readonly of: Message) {
      Object.defineProperty(this, "of", { enumerable: false });
    }
    get type() {
      return this.of.type;
    }
    get payload() {
      return this.of.payload;
    }
    get groupKey() {
      return "acme";
    }
  }
  for (
    const wrap of [(m: Message) => new Wrapped(m) as Message, (m: Message) => Object.create(m)]
  ) {
    const { bus, memory } = workbench([Mail], { middleware: [{ dispatch: wrap }] });
    await bus.dispatch(Mail, { to: "a" });
    const [{ type, payload } = {}] = memory.messages;
    assertEquals([type, payload], ["Mail", { to: "a" }]);
  }
  const { bus, memory } = workbench([Mail], {
    middleware: [{ dispatch: (m) => new Wrapped(m) as Message }],
  });
  await bus.dispatch(Mail, { to: "a" });
  assertEquals(memory.messages[0]?.groupKey, "acme");
});
