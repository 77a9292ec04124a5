/** Messages for tests: what their handlers did is recorded in the table test_effects. */

import { z } from "zod";
import {
  defineEvent,
  defineMessage,
  type HandlerContext,
  snooze,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { Booking, Import, Parallel, Sleeper, Steps } from "./durable.ts";
import { writeEffect } from "./effects.ts";

export { schedules } from "./schedules.ts";

/** Creates the table in which the handlers record their effects. */
export const EFFECTS_TABLE = `
  create table if not exists public.test_effects (
    id bigint generated always as identity primary key,
    message_id bigint not null,
    type text not null,
    attempt integer not null,
    payload jsonb,
    context jsonb,
    at timestamptz not null default clock_timestamp()
  );
  grant all on public.test_effects to service_role;
`;

/** Records a run of a handler, before this resolves. */
export async function record(ctx: HandlerContext, payload: unknown): Promise<void> {
  const { envelope: { id, type, quarantined }, attempt, schedule, user, supabase } = ctx;
  const context = { quarantined, schedule, user };
  await writeEffect(supabase, { message_id: id, type, attempt, payload, context });
}

/** Recorded, for users. */
export const Note = defineMessage({
  type: "Note",
  schema: z.object({ text: z.string() }),
  access: "authenticated",
  handler: (payload, ctx) => record(ctx, payload),
});

/** Closed to frontends. */
export const Secret = defineMessage({
  type: "Secret",
  schema: z.object({ text: z.string() }),
  handler: (payload, ctx) => record(ctx, payload),
});

/** Whose users may choose. */
export const Choosy = defineMessage({
  type: "Choosy",
  schema: z.object({}),
  access: "authenticated",
  callerOptions: ["delay", "schedule", "cancel"],
  handler: (payload, ctx) => record(ctx, payload),
});

const Count = defineMessage({
  type: "Count",
  schema: z.object({ n: z.number() }),
  queue: "count",
  handler: () => {},
});

const Started = defineMessage({
  type: "Started",
  schema: z.object({}),
  queue: "rated",
  handler: (_, ctx) => record(ctx, { at: Date.now() }),
});

const Fail = defineMessage({
  type: "Fail",
  schema: z.object({ until: z.number().default(Infinity) }),
  retry: { maxRetries: 2, delay: 1000, multiplier: 1 },
  handler: async (payload, ctx) => {
    await record(ctx, payload);
    if (ctx.attempt < payload.until) throw new Error(`attempt ${ctx.attempt} failed`);
  },
});

/** Fails and is snoozed a number of times, each soon. */
const Wobbly = defineMessage({
  type: "Wobbly",
  schema: z.object({ failures: z.number(), snoozes: z.number() }),
  retry: { maxRetries: 3, delay: 200, multiplier: 1 },
  handler: async (payload, ctx) => {
    await record(ctx, payload);
    if (ctx.attempt <= payload.failures) throw new Error(`attempt ${ctx.attempt} failed`);
    const { data } = await ctx.supabase.from("test_effects").select("id")
      .eq("message_id", ctx.envelope.id);
    const runs = data?.length ?? 0;
    return runs <= payload.failures + payload.snoozes ? snooze(200) : undefined;
  },
});

/** Its schema has to be waited for, and fails itself. */
const Doubtful = defineMessage({
  type: "Doubtful",
  schema: z.object({ fails: z.boolean() }).refine(({ fails }) =>
    fails ? Promise.reject(new Error("the registry is out of order")) : Promise.resolve(true)
  ),
  access: "authenticated",
  retry: { maxRetries: 0 },
  handler: (payload, ctx) => record(ctx, payload),
});

/** Its schema leaves promises that reject behind: zod does not wait for what superRefine returns late, nor for the keys of a record. */
const Forgetful = defineMessage({
  type: "Forgetful",
  schema: z.object({
    text: z.string().superRefine(() => {
      setTimeout(() => void Promise.reject(new Error("forgotten in a timer")));
      void Promise.reject(new Error("forgotten in superRefine"));
    }),
    record: z.record(
      z.string().refine(() => Promise.reject(new Error("forgotten for a key"))),
      z.number(),
    ).optional(),
  }),
  access: "authenticated",
  retry: { maxRetries: 0 },
  handler: (payload, ctx) => record(ctx, payload),
});

const Slow = defineMessage({
  type: "Slow",
  schema: z.object({ ms: z.number() }),
  handler: async (payload, ctx) => {
    await record(ctx, payload);
    await new Promise((resolve) => setTimeout(resolve, payload.ms));
  },
});

const Kill = defineMessage({
  type: "Kill",
  schema: z.object({ attempts: z.number().default(Infinity) }),
  retry: { maxRetries: 1, delay: 100, multiplier: 1 },
  handler: async (payload, ctx) => {
    await record(ctx, payload);
    if (ctx.attempt <= payload.attempts) Deno.exit(137);
  },
});

const Burn = defineMessage({
  type: "Burn",
  schema: z.object({ ms: z.number() }),
  handler: (payload, ctx) => {
    const until = performance.now() + payload.ms;
    while (performance.now() < until) { /* uses up CPU time */ }
    return record(ctx, payload);
  },
});

const Stray = defineMessage({
  type: "Stray",
  schema: z.object({}),
  handler: (payload, ctx) => {
    Promise.reject(new Error("forgotten"));
    return record(ctx, payload);
  },
});

const Together = defineMessage({
  type: "Together",
  schema: z.object({ n: z.number() }),
  batch: { size: 20 },
  handleBatch: async (messages, { supabase }) => {
    const { error } = await supabase.from("test_effects").insert(
      messages.map(({ envelope, attempt, payload }) => ({
        message_id: envelope.id,
        type: envelope.type,
        attempt,
        payload: { ...payload, together: messages.length },
      })),
    );
    if (error) throw error;
    return messages.map(({ payload, attempt }) =>
      payload.n === 7 && attempt === 1 ? new Error("not the seventh") : undefined
    );
  },
});

/** Open to visitors. */
export const Open = defineMessage({
  type: "Open",
  schema: z.object({ text: z.string() }),
  access: "anonymous",
  callerOptions: ["delay", "schedule", "cancel"],
  handler: (payload, ctx) => record(ctx, payload),
});

const Ruled = defineMessage({
  type: "Ruled",
  schema: z.object({ team: z.string() }),
  callerOptions: ["schedule"],
  access: ({ claims, payload }) => {
    if (payload.team === "throws") throw new Error("the rule is out of order");
    return claims === null ? payload.team === "public" : claims.app_metadata?.team === payload.team;
  },
  handler: (payload, ctx) => record(ctx, payload),
});

/** Each team has a lane. */
const Report = defineMessage({
  type: "Report",
  schema: z.object({ team: z.string() }),
  queue: "reports",
  lane: ({ team }) => team === "none" ? 7 as unknown as string : team,
  access: "authenticated",
  callerOptions: ["queue", "schedule"],
  handler: (payload, ctx) => record(ctx, payload),
});

/** A loud one has to end by itself. */
const Loud = defineMessage({
  type: "Loud",
  schema: z.object({ loud: z.boolean() }),
  callerOptions: ["schedule"],
  access: ({ payload, options }) => !payload.loud || options.schedule?.maxRuns !== undefined,
  handler: () => {},
});

const Welcoming = defineMessage({
  type: "Welcoming",
  schema: z.object({}),
  access: () => true,
  handler: () => {},
});

const Small = defineMessage({
  type: "Small",
  schema: z.object({ text: z.string() }),
  access: "authenticated",
  maxPayloadBytes: 20,
  handler: () => {},
});

/** Three for a user and five for all, an hour. */
export const Limited = defineMessage({
  type: "Limited",
  schema: z.object({}),
  access: "anonymous",
  callerOptions: ["schedule"],
  rateLimit: { perUser: { max: 3, per: "1h" }, total: { max: 5, per: "1h" } },
  handler: () => {},
});

/** Runs until the test has recorded an effect of the type `release`, in a step of a name that is given. */
export const Kept = defineMessage({
  type: "Kept",
  schema: z.object({ fails: z.boolean().default(false), step: z.string().optional() }),
  access: "authenticated",
  callerOptions: ["cancel"],
  keep: "1h",
  live: true,
  retry: { maxRetries: 1, delay: 3_600_000, maxDelay: 3_600_000 },
  handler: async ({ fails, step }, ctx) => {
    const { progress, signal, supabase } = ctx;
    progress(0.4, "halfway, nearly");
    const released = async () => {
      for (;;) {
        signal.throwIfAborted();
        const { data } = await supabase.from("test_effects").select("id").eq("type", "release");
        if (data?.length) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await (step === undefined ? released() : ctx.step(step, released));
    progress(0.9);
    if (fails) throw new Error("a secret of the handler");
  },
});

/** Fails so often, then succeeds. */
export const Shaky = defineMessage({
  type: "Shaky",
  schema: z.object({ failures: z.number() }),
  access: "authenticated",
  keep: "1h",
  retry: { maxRetries: 1, delay: 3_000 },
  handler: ({ failures }, { attempt }) => {
    if (attempt <= failures) throw new Error(`attempt ${attempt} failed`);
  },
});

/** Its user gets live updates, and it is not kept. */
export const Told = defineMessage({
  type: "Told",
  schema: z.object({}),
  access: "authenticated",
  live: true,
  handler: () => {},
});

/** Its result is kept, and told live. */
export const Measured = defineMessage({
  type: "Measured",
  schema: z.object({ size: z.number() }),
  access: "authenticated",
  live: true,
  keep: { for: "1h", result: true },
  result: z.object({ text: z.string() }),
  // Text that does not compress.
  handler: ({ size }) => {
    const bytes = crypto.getRandomValues(new Uint8Array(size / 2));
    return { text: bytes.toHex() };
  },
});

/** One a second. */
export const Brisk = defineMessage({
  type: "Brisk",
  schema: z.object({}),
  access: "anonymous",
  rateLimit: { total: { max: 1, per: "1s" } },
  handler: () => {},
});

/** One for a burst of dispatches, which users may key. */
export const Draft = defineMessage({
  type: "Draft",
  schema: z.object({ text: z.string() }),
  access: "authenticated",
  callerOptions: ["dedupeKey"],
  dedupe: { debounce: "30s" },
  handler: () => {},
});

/** Waits for an event of users, and records what it took. */
export const Approval = defineMessage({
  type: "Approval",
  schema: z.object({ order: z.string() }),
  handler: async ({ order }, ctx) => {
    const key = `approved:${order}`;
    const token = await ctx.step("token", () => ctx.token(key, { expires: "7d" }));
    const taken = await ctx.waitFor(key, { timeout: "7d" });
    await ctx.step("record", () => record(ctx, { token, taken }));
  },
});

const flag = z.object({ ok: z.boolean() });

/** Every event of the tests. */
export const events = [
  defineEvent({
    name: "bounded",
    schema: z.number(),
    access: "authenticated",
    rateLimit: { perUser: { max: 2, per: "1h" }, total: { max: 3, per: "1h" } },
  }),
  defineEvent({
    name: "approved",
    schema: flag,
    access: ({ claims, key, value }) => {
      if (claims?.app_metadata?.order === "throws") throw new Error("a broken rule");
      return value.ok && claims?.app_metadata?.order === key;
    },
  }),
  defineEvent({ name: "internal", schema: flag }),
  defineEvent({ name: "signed", schema: flag, access: "authenticated" }),
  defineEvent({ name: "open", schema: flag, access: "anonymous" }),
  defineEvent({ name: "welcoming", schema: flag, access: () => true }),
];

/** Every message of the tests. */
export const messages = [
  Note,
  Secret,
  Choosy,
  Count,
  Started,
  Fail,
  Wobbly,
  Doubtful,
  Forgetful,
  Slow,
  Kill,
  Burn,
  Stray,
  Together,
  Open,
  Ruled,
  Report,
  Loud,
  Welcoming,
  Small,
  Limited,
  Kept,
  Shaky,
  Told,
  Measured,
  Brisk,
  Steps,
  Parallel,
  Sleeper,
  Booking,
  Import,
  Draft,
  Approval,
];
