/** A program that dispatches one batch and ends, for tests that kill it before. Takes the number of members. */

import { createClient } from "@supabase/supabase-js";
import { createMessenger } from "../../supabase/functions/_shared/symphony/index.ts";
import { messages } from "./messages/mod.ts";

const count = Number(Deno.args[0]);
const supabase = createClient(
  Deno.env.get("SUPABASE_URL") ?? "",
  Deno.env.get("SUPABASE_SECRET_KEY") ?? "",
  { auth: { persistSession: false, autoRefreshToken: false } },
);
const { bus } = createMessenger({ supabase, messages });
const members = Array.from({ length: count }, (_, n) => ({
  type: "Loud",
  payload: { loud: false, n },
}));
await bus.dispatchBatch(members, {
  name: "killed",
  onFinished: { type: "Note", payload: { text: "finished" } },
});
