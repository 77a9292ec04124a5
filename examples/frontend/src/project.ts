/// <reference types="./env.d.ts" />
/** The project that the page talks to: one supabase-js client, and one messenger over it. */

import { createClient } from "@supabase/supabase-js";
import { createMessengerClient } from "symphony-messenger/client";
import type { Messages } from "./messenger.gen.ts";

const { VITE_SUPABASE_URL, VITE_SUPABASE_PUBLISHABLE_KEY } = import.meta.env;

/** Signs users in, and keeps their session. */
export const supabase = createClient(VITE_SUPABASE_URL, VITE_SUPABASE_PUBLISHABLE_KEY);

/** Dispatches and follows messages as the user who is signed in. */
export const messenger = createMessengerClient<Messages>(supabase);

// The hooks check names and payloads too.
declare module "symphony-messenger/react" {
  interface Register {
    messages: Messages;
  }
}
