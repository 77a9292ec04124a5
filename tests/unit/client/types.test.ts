/** Mistakes of the client's callers that the compiler refuses. If it accepts one, the marked line is an error. */

import { assertEquals } from "@std/assert";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { createClient as createOldestClient } from "oldest-supabase-js";
import {
  createDispatcher,
  createMessengerClient,
  message,
  type MessengerClient,
} from "../../../client/mod.ts";
import type { EmailMessage as Email } from "../../../supabase/functions/_messages/email.ts";
import type { messages } from "../../../supabase/functions/_messages/mod.ts";
import type {
  Kept as KeptDefinition,
  Measured as MeasuredDefinition,
} from "../../support/messages/mod.ts";
import type { Database } from "../../../supabase/functions/_shared/symphony/database/database.types.ts";

const EmailMessage = message<typeof Email>("EmailMessage");
const Kept = message<typeof KeptDefinition>("Kept");
const to = "ada@example.org";

// The compiler reads these functions; no test calls them.
export const _names = () => {
  // @ts-expect-error there is no message of this name
  message<typeof Email>("EmailMesage");
  // @ts-expect-error it is the name of another message
  message<typeof Email>("Kept");
  // @ts-expect-error none of the project's messages is called so
  message<(typeof messages)[number]>("Kept");
};

export const _payloads = async (messenger: MessengerClient) => {
  await messenger.dispatch(EmailMessage, { to }); // defaults may be left out
  await messenger.dispatch(EmailMessage, { to, template: "welcome", data: { a: 1 } });
  // @ts-expect-error a field is missing
  await messenger.dispatch(EmailMessage, {});
  // @ts-expect-error a field is of another type
  await messenger.dispatch(EmailMessage, { to: 7 });
  // @ts-expect-error a field is unknown
  await messenger.dispatch(EmailMessage, { to, subject: "Hello" });
  // @ts-expect-error a name alone says nothing of the payload
  await messenger.dispatch({ type: "EmailMessage" }, { to });
  // @ts-expect-error a schedule's payload is checked too
  await messenger.schedules.create(EmailMessage, {}, { type: "once", config: { at: new Date() } });
};

export const _options = async (messenger: MessengerClient) => {
  await messenger.dispatch(EmailMessage, { to }, { delay: "5m", priority: 3 });
  // @ts-expect-error it is no duration
  await messenger.dispatch(EmailMessage, { to }, { delay: "5 minutes" });
  // @ts-expect-error there is no such option
  await messenger.dispatch(EmailMessage, { to }, { dalay: "5m" });
  // @ts-expect-error a cron schedule has a cron expression
  await messenger.schedules.create(EmailMessage, { to }, {
    type: "cron",
    config: { interval: "1h" },
  });
};

export const _together = async (messenger: MessengerClient) => {
  await messenger.dispatchAll([
    { message: EmailMessage, payload: { to }, delay: "5m" },
    { message: Kept, payload: { fails: true } },
  ]);
  await messenger.dispatchAll([to].map((to) => ({ message: EmailMessage, payload: { to } })));
  await messenger.dispatchAll([
    // @ts-expect-error it is another message's payload
    { message: EmailMessage, payload: { fails: true } },
    { message: Kept, payload: {} },
  ]);
};

/** As `npx symphony-messenger types` writes them. */
interface Messages {
  RenderVideo: { payload: { frames: number }; result: { url: string } };
  Cut: { payload: { from?: number | undefined }; result: unknown };
}

export const _byName = async (messenger: MessengerClient<Messages>) => {
  const job = await messenger.dispatch("RenderVideo", { frames: 3 }, { signal: undefined });
  job.type satisfies "RenderVideo";
  job.kind satisfies "message";
  await messenger.dispatchAll([
    { type: "RenderVideo", payload: { frames: 3 }, delay: "5m" },
    { type: "Cut", payload: {} },
  ]);
  await messenger.dispatch(EmailMessage, { to });
  await messenger.list({ type: "Cut", status: "failed" });
  // @ts-expect-error there is no message of this name
  await messenger.dispatch("RenderVide", { frames: 3 });
  // @ts-expect-error a field is of another type
  await messenger.dispatch("RenderVideo", { frames: "3" });
  // @ts-expect-error it is another message's payload
  await messenger.dispatchAll([{ type: "RenderVideo", payload: {} }]);
  // @ts-expect-error a schedule's payload is checked too
  await messenger.schedules.create("Cut", { from: "x" }, {
    type: "cron",
    config: { cron: "@daily" },
  });
  // @ts-expect-error there is no message of this name
  await messenger.list({ type: "Email" });
};

export const _results = async (messenger: MessengerClient<Messages>) => {
  const job = await messenger.dispatch("RenderVideo", { frames: 3 });
  const { result } = await job.finished();
  result?.url satisfies string | undefined;
  // @ts-expect-error it may be missing: the message may have failed
  result.url;
  // @ts-expect-error it is of another type
  result?.url satisfies number | undefined;
  for await (const state of job.follow()) state.result?.url satisfies string | undefined;
  (await job.status()).result?.url satisfies string | undefined;
  // A result without a schema may be anything.
  (await (await messenger.dispatch("Cut", {})).finished()).result satisfies unknown;
  // @ts-expect-error of what is known by its id alone, nothing is known
  (await messenger.finished("1")).result?.url;

  const Measured = message<typeof MeasuredDefinition>("Measured");
  const measured = await (await messenger.dispatch(Measured, { size: 1 })).finished();
  measured.result?.text satisfies string | undefined;
  // @ts-expect-error it has no such field
  measured.result?.texts;
};

export const _ids = async (messenger: MessengerClient<Messages>) => {
  const job = await messenger.dispatch("Cut", {});
  const schedule = await messenger.schedules.create("Cut", {}, {
    type: "cron",
    config: { cron: "@daily" },
  });
  await messenger.status(job);
  await messenger.status("7");
  await messenger.schedules.get(schedule.id);
  // @ts-expect-error it is a schedule
  await messenger.status(schedule);
  // @ts-expect-error it is a schedule's id
  await messenger.status(schedule.id);
  // @ts-expect-error it is a message's id
  await messenger.schedules.delete(job.id);
};

export const _statuses = async (messenger: MessengerClient) => {
  const { status, progress } = await messenger.status("1");
  if (progress) progress.value satisfies number;
  // @ts-expect-error there is no such status
  return status === "done";
};

Deno.test("a message is its name and nothing else at run time", () => {
  assertEquals({ ...EmailMessage }, { type: "EmailMessage" });
});

Deno.test("a client of the newest and the oldest supabase-js fits, with types of a database and without", () => {
  const supabase = createClient<Database>("http://127.0.0.1:9", "sb_publishable_unused");
  const untyped: SupabaseClient = createClient("http://127.0.0.1:9", "sb_publishable_unused");
  const oldest = createOldestClient("http://127.0.0.1:9", "sb_publishable_unused");
  for (const client of [supabase, untyped, oldest]) {
    assertEquals(typeof createMessengerClient(client).dispatch, "function");
    assertEquals(Object.keys(createDispatcher(client)), ["dispatch", "dispatchAll"]);
  }
  // A provider of React takes any client.
  createMessengerClient<Messages>(supabase) satisfies Pick<MessengerClient, "observe" | "list">;
});
