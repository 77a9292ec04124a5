/** Files and packages of a reader's project that pages import, as far as their code uses them. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { defineMessage, z } from "symphony-messenger";

const message = <S extends z.ZodType>(type: string, schema: S) =>
  defineMessage({ type, schema, handler: () => {} });

export const SignUp = message("SignUp", z.object({ email: z.email() }));
export const SendMail = message("SendMail", z.object({ to: z.email() }));
export const StripeEvent = message("StripeEvent", z.looseObject({ id: z.string() }));
export const AuditEntry = message("AuditEntry", z.object({ text: z.string() }));
export const ImportRow = message("ImportRow", z.object({ row: z.number() }));
export const messages = [SignUp, SendMail];
export const schedules = [];

export declare function render(video: string): Promise<{ id?: string; problem?: string }>;

/** `@supabase/ssr`. */
export declare function createBrowserClient(url: string, key: string): SupabaseClient;
/** `@supabase/ssr`. */
export declare function createServerClient(
  url: string,
  key: string,
  options: {
    cookies: {
      getAll(): { name: string; value: string }[];
      setAll(all: { name: string; value: string; options: object }[]): void;
    };
  },
): SupabaseClient;
/** `next/headers`. */
export declare function cookies(): Promise<{
  getAll(): { name: string; value: string }[];
  set(name: string, value: string, options: object): void;
}>;
