import { assertEquals, assertThrows } from "@std/assert";
import { amqp, type AmqpOptions } from "../../../../supabase/functions/_shared/symphony/amqp.ts";
import { readAmqpOptions } from "../../../../supabase/functions/_shared/symphony/transport/amqp/options.ts";

const url = "amqps://user:password@broker.example/vhost";

Deno.test("the options of RabbitMQ have defaults", () => {
  assertEquals(readAmqpOptions({ url }), {
    ...{ url, queues: ["default"], ordered: new Set(), prefix: "symphony.", outbox: true, tls: {} },
    ...{ prefetch: 100, deliveryLimit: 1_000, maxBytes: 16_777_216, timeoutMs: 10_000 },
  });
});

Deno.test("messages of RabbitMQ keep their order if all of its queues are ordered", () => {
  const orderOf = (options: Partial<AmqpOptions>) => amqp({ url, ...options }).capabilities.order;
  assertEquals(orderOf({}), "none");
  assertEquals(orderOf({ ordered: true }), "partition");
  assertEquals(orderOf({ queues: ["a", "b"], ordered: ["a"] }), "none");
  assertEquals(orderOf({ queues: ["a", "b"], ordered: ["b", "a"] }), "partition");
});

const WRONG: readonly [name: string, options: unknown, message: string][] = [
  ["no object", null, "amqp: options: have to be an object"],
  ["an unknown option", { url, prefetsh: 1 }, "did you mean prefetch"],
  ["a url that is none", { url: "broker.example" }, "amqp: url: has to be amqps://"],
  ["a url of another protocol", { url: "https://broker.example" }, "amqp: url: has to be amqps://"],
  ["a second url that is none", { url: [url, 7] }, "number 2 is not"],
  ["no queue", { url, queues: [] }, "amqp: queues: has to be names"],
  ["a queue with a space", { url, queues: ["a b"] }, "amqp: queues: has to be names"],
  ["an order for a queue that it has not", { url, ordered: ["mail"] }, "amqp: ordered: has to be"],
  ["a prefix with a slash", { url, prefix: "a/" }, "amqp: prefix: has to be up to 50 letters"],
  ["a prefetch of 0", { url, prefetch: 0 }, "amqp: prefetch: has to be a whole number from 1"],
  ["a fraction", { url, deliveryLimit: 10.5 }, "amqp: deliveryLimit: has to be a whole number"],
  ["bytes as a text", { url, maxBytes: "1 MB" }, "amqp: maxBytes: has to be a whole number"],
  ["an endless timeout", { url, timeoutMs: Infinity }, "amqp: timeoutMs: has to be a whole number"],
  ["an outbox that is no switch", { url, outbox: "no" }, "amqp: outbox: has to be true or false"],
  ["an unknown certificate", { url, tls: { pem: "" } }, "amqp: tls: pem: no such option"],
  [
    "a certificate that is no text",
    { url, tls: { ca: 1 } },
    "amqp: tls: ca: has to be a text in PEM",
  ],
];
for (const [name, options, message] of WRONG) {
  Deno.test(`RabbitMQ refuses ${name}`, () => {
    assertThrows(() => amqp(options as AmqpOptions), RangeError, message);
  });
}

Deno.test("an error about a url tells none of it", () => {
  const error = assertThrows(() => amqp({ url: "amqp:/user:secret@broker" }), RangeError);
  assertEquals(error.message.includes("secret"), false);
});
