/** Definitions: options that are refused, and one definition a type. */

import { assertThrows } from "@std/assert";
import { z } from "zod";
import {
  createMessenger,
  defineMessage,
  type MessageOptions,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { createRegistry } from "../../../supabase/functions/_shared/symphony/message/registry.ts";
import { readConfig } from "../../../supabase/functions/_shared/symphony/runtime/config.ts";
import { workbench } from "../../support/worker.ts";

const Mail = defineMessage({
  type: "Mail",
  schema: z.object({ to: z.string(), at: z.iso.datetime().optional() }),
  queue: "mail",
  priority: 3,
  ttl: "1h",
  handler: () => {},
});

const invalid: [string, Partial<MessageOptions<z.ZodUnknown>>, string][] = [
  ["a name with a space", { type: "My Mail" }, "type: has to be 1 to 200 letters"],
  ["an empty name", { type: "" }, "type: has to be"],
  ["a schema that is none", { schema: {} as z.ZodUnknown }, "schema: has to be a zod schema"],
  [
    "a schema of zod 3",
    { schema: { safeParse: () => ({ success: true }) } as never },
    "schema: has to be a zod schema, of zod 4",
  ],
  ["a timeout of 0", { timeout: 0 }, "timeout: has to be more than 0"],
  ["a timeout that is no duration", { timeout: "soon" as "1s" }, "timeout"],
  ["a queue with a slash", { queue: "a/b" }, "queue: has to be"],
  ["a fractional priority", { priority: 1.5 }, "priority: has to be a whole number"],
  ["an access that does not exist", { access: "all" as "secret" }, "access: has to be"],
  [
    "a dedupe that does not exist",
    { dedupe: "forever" as "until-started" },
    "T: dedupe: has to be",
  ],
  ["a number of retries for its rule", { retry: 3 as never }, "T: retry: has to be an object"],
  ["a list for its retry rule", { retry: [1_000] as never }, "T: retry: has to be an object"],
  ["half of a strategy", { retry: { getDelay: () => 1 } as never }, "T: retry: has to be a retry"],
  ["no handler", { handler: {} }, "handler: has to be a function"],
];
for (const [what, options, message] of invalid) {
  Deno.test(`a definition with ${what} is refused with the option's name`, () => {
    assertThrows(
      () => defineMessage({ type: "T", schema: z.unknown(), handler: () => {}, ...options }),
      RangeError,
      message,
    );
  });
}

Deno.test("two definitions of one type are refused", () => {
  assertThrows(
    () => createRegistry([Mail, Mail]),
    RangeError,
    "two definitions have the type Mail",
  );
});

Deno.test("a retry option that does not exist is refused when the messenger is made", () => {
  const { memory: transport } = workbench([]);
  const wrong = defineMessage({
    type: "T",
    schema: z.unknown(),
    retry: { maxRetries: -1 },
    handler: () => {},
  });
  const config = readConfig(() => undefined);
  const supabase = undefined as never;
  assertThrows(
    () => createMessenger({ supabase, transport, config, messages: [wrong] }),
    RangeError,
    "T: maxRetries",
  );
});
