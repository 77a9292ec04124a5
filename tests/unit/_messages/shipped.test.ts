/** The messages that come with a project: closed, until their owner opens them. */

import { assertEquals, assertRejects } from "@std/assert";
import { messages } from "../../../supabase/functions/_messages/mod.ts";
import { EmailMessage } from "../../../supabase/functions/_messages/email.ts";
import type { z } from "zod";
import type {
  AccessRule,
  MessageDefinition,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { authorize } from "../../../supabase/functions/_shared/symphony/http/authorize.ts";
import { Problem } from "../../../supabase/functions/_shared/symphony/http/problem.ts";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";

Deno.test("no message that comes with a project is open to frontends", () => {
  assertEquals(messages.map(({ access }) => access), messages.map(() => "secret"));
  assertEquals(messages.map(({ callerOptions }) => callerOptions.size), messages.map(() => 0));
});

Deno.test("EmailMessage, opened by the rule of its example, mails a user's own address only", async () => {
  const rule: AccessRule<z.output<typeof EmailMessage.schema>> = ({ claims, payload }) =>
    claims?.is_anonymous !== true && claims?.email === payload.to && payload.template === "welcome";
  const definition = { ...EmailMessage, access: rule } as unknown as MessageDefinition;
  const log = createLogger({ level: "silent" });
  const dispatch = (payload: unknown, claims: object | null = { email: "ada@example.org" }) =>
    authorize(
      { type: "EmailMessage", payload },
      claims === null
        ? { kind: "publishable" }
        : { kind: "user", user: { id: "ada", isAnonymous: false }, claims: claims as never },
      definition,
      { path: [], log },
    );
  await dispatch({ to: "ada@example.org", template: "welcome" });
  await assertRejects(() => dispatch({ to: "bob@example.org", template: "welcome" }), Problem);
  await assertRejects(() => dispatch({ to: "ada@example.org", template: "invoice" }), Problem);
  await assertRejects(
    () => dispatch({ to: "ada@example.org", template: "welcome" }, null),
    Problem,
  );
  assertEquals(EmailMessage.rateLimit?.perUser?.max, 5);
});
