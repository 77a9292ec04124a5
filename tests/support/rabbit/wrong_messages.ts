/** Messages in a broker's queue that no program of this library has written. */

import amqplib from "amqplib";

/** A message as a program hands it to the broker. */
export interface RawMessage {
  readonly body: string | Uint8Array;
  readonly options?: {
    readonly messageId?: string;
    readonly type?: string;
    readonly headers?: Readonly<Record<string, unknown>>;
  };
}

/** Publishes messages past the library, and waits for the broker's confirms. */
export async function publishRaw(
  url: string,
  queue: string,
  messages: readonly RawMessage[],
): Promise<void> {
  const model = await amqplib.connect(url);
  const channel = await model.createConfirmChannel();
  for (const { body, options } of messages) {
    const content = typeof body === "string" ? new TextEncoder().encode(body) : body;
    // deno-lint-ignore no-explicit-any -- the client asks for a Buffer, and reads any bytes.
    channel.sendToQueue(queue, (globalThis as any).Buffer.from(content), { ...options });
  }
  await channel.waitForConfirms();
  await model.close();
}

/** Messages each of which is wrong in one way. Their handler fails. @param origin this installation's identity */
export function wrongMessages(origin: string): readonly RawMessage[] {
  const createdAt = "2026-01-01T00:00:00Z";
  const good = { origin, payload: "foreign", createdAt };
  const headers = { type: "T", publication: 1 };
  let id = 900_000_000;
  const own = (body: object, more: object = {}): RawMessage => ({
    body: JSON.stringify({ ...good, ...body }),
    options: { messageId: String(id++), headers, ...more },
  });
  const counters = ["retryCount", "attempts", "snoozes", "interruptions"];
  const shapes = [7, "x", null, [], { id: 7 }, { id: "\u0000" }, { nth: -1 }];
  const stamps = [
    "user",
    "batch",
    "schedule",
    "durable",
    "handledBy",
    "redriven",
    "origin",
    "mine",
  ];
  return [
    ...["", "{", "null", "7", "[]", "\u0000", `{"a":"\\u0000"}`].map((body) => ({
      ...{ body, options: { messageId: "1", headers } },
    })),
    { body: new Uint8Array([0xff, 0xfe, 0x00]), options: { messageId: "1", headers } },
    { body: JSON.stringify(good) },
    ...["", "0", "-1", "1e3", "x", "99999999999999999999"].map((messageId) =>
      own({}, { messageId })
    ),
    ...[{}, { type: "" }, { type: "\u0000" }, { type: "x".repeat(201) }, { type: { toString: 1 } }]
      .map((wrong) => own({}, { headers: { publication: 1, ...wrong } })),
    ...[0, -1, 1.5, 2 ** 40, "x", null, [], { valueOf: 1, toString: 1 }]
      .map((publication) => own({}, { headers: { type: "T", publication } })),
    ...counters.flatMap((counter) =>
      [-1, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1, 1e300, "7", null, 1.5].map((value) =>
        own({ [counter]: value })
      )
    ),
    ...stamps.flatMap((name) => shapes.map((value) => own({ stamps: { [name]: value } }))),
    own({ stamps: [] }),
    own({ stamps: { "\u0000": 1 } }),
    own({ stamps: JSON.parse(`{"__proto__": {"a": 1}}`) }),
    ...["\u0000", "\ud800", { a: "\u0000" }, { "\u0000": 1 }].map((payload) => own({ payload })),
    ...["\u0000", "", "x".repeat(256), 7].map((groupKey) => own({ groupKey })),
    ...["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "soon", 7, "2026-02-30T00:00:00Z"]
      .flatMap((at) => [own({ createdAt: at }), own({ availableAt: at }), own({ expiresAt: at })]),
    ...[[1], ["\u0000"], [null], [{ message: "\u0000" }], [{ message: 7, at: {} }], {}, "x"]
      .map((errors) => own({ errors })),
    ...[1e6, -1e6, "7", 0.5].map((priority) => own({ priority })),
    ...["", "x", 7, null].map((one) => own({ origin: one })),
    own({ origin: "5f3c6e0a-58f4-4f43-9c3e-6b1a8a0e2d11" }),
  ];
}
