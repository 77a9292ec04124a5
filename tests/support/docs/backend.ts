/** The surroundings of code about messages and handlers: a project's own definitions, functions and values. */

import type { SupabaseClient } from "@supabase/supabase-js";
import {
  defineMessage,
  type HandlerContext,
  type MessageBus,
  type MessageDefinition,
  z,
} from "symphony-messenger";
import type { createTestMessenger } from "symphony-messenger/testing";

export { assertEquals } from "@std/assert";
export { Webhook } from "standardwebhooks";
export {
  createMessenger,
  defineEvent,
  defineMessage,
  defineSchedule,
  FixedDelaysRetryStrategy,
  FunctionRetryStrategy,
  LinearBackoffRetryStrategy,
  type Middleware,
  type ProjectConfig,
  redrive,
  Scheduler,
  snooze,
  StepError,
  supabaseProject,
  z,
} from "symphony-messenger";
export { createTestMessenger } from "symphony-messenger/testing";

/** A definition with a payload of a project's own. */
const message = <S extends z.ZodType>(schema: S) =>
  defineMessage({ type: "Message", schema, handler: () => {} });

export const schema = z.object({ account: z.number(), team: z.string(), region: z.string() });
export const handler = (): void => {};
export const EmailMessage = message(z.object({ to: z.email(), template: z.string() }));
export const WebhookMessage = message(z.object({ url: z.url() }));
export const SendMail = EmailMessage;
export const SignUp = message(z.object({ email: z.email() }));
export const Onboard = message(z.object({ user: z.string(), mail: z.email() }));
export const SyncAccount = message(z.object({ account: z.number() }));
export const ImportRow = message(z.object({ row: z.number() }));
export const SendInvoice = message(z.object({ order: z.string() }));
export const Resize = defineMessage({
  type: "Resize",
  schema: z.object({ image: z.string(), width: z.number() }),
  result: z.object({ url: z.url() }),
  keep: { for: "30d", result: true },
  handler: () => ({ url: "https://app.example/image" }),
});

export class CardDeclined extends Error {}

export declare const supabase: SupabaseClient;
export declare const bus: MessageBus;
export declare const ctx: HandlerContext;
export declare const t: ReturnType<typeof createTestMessenger>;
export declare const messages: MessageDefinition[];
export declare const schedules: [];
export declare const request: Request;
export declare const rows: { row: number }[];
export declare const pages: string[];
export declare const user: { id: string };
export declare const payload: { customer: string };
export declare const location: { hash: string };
export declare const id: string;
export declare const file: string;
export declare const image: string;
export declare const customer: string;
export declare const secret: string;
export declare const SUPABASE_URL: string;
export declare const crm: { create(email: string): Promise<{ email: string }> };
export declare const mail:
  & { to: string; template: string }
  & { send(...mail: unknown[]): Promise<void> };
export declare function rowsOf(file: string): Iterable<{ type: string; payload: unknown }>;
export declare function resize(image: string, width: number): Promise<string>;
export declare function show(state: unknown): void;
export declare function isPaid(order: unknown): Promise<boolean>;
export declare function shardOf(payload: unknown): string;
export declare function pay(...args: unknown[]): Promise<void>;
export declare function act(...args: unknown[]): Promise<void>;
export {
  act as book,
  act as cancel,
  act as refund,
  act as render,
  act as save,
  act as sendMail,
  act as ship,
  act as writeAudit,
};
