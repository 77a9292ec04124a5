/** Clients as an app makes them. */

import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { createMessengerClient, type MessengerClient } from "../../client/mod.ts";
import type { TestStack } from "./stack.ts";

const auth = { persistSession: false, autoRefreshToken: false };

/** Somebody's two clients. */
export interface Person {
  readonly supabase: SupabaseClient;
  readonly messenger: MessengerClient;
}

/** A new user who is signed in. */
export async function signedIn(stack: TestStack, url = stack.url): Promise<Person> {
  const supabase = createClient(url, stack.publishableKey, { auth });
  const email = `${crypto.randomUUID()}@example.org`;
  const { error } = await supabase.auth.signUp({ email, password: "engine" });
  if (error) throw error;
  return { supabase, messenger: createMessengerClient(supabase) };
}

/** Somebody with only a key: the publishable one, unless another is given. */
export function withKey(stack: TestStack, url = stack.url, key = stack.publishableKey): Person {
  const supabase = createClient(url, key, { auth });
  return { supabase, messenger: createMessengerClient(supabase) };
}
