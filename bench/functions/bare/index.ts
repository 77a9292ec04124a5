/** The function that W14 compares ours with: it imports hono, zod and supabase-js alone, and uses each. */

import { createClient } from "@supabase/supabase-js";
import { Hono } from "hono";
import { z } from "zod";

const body = z.strictObject({
  type: z.string().min(1),
  payload: z.strictObject({ n: z.number().int(), text: z.string() }),
});

const { default: key } = JSON.parse(Deno.env.get("SUPABASE_SECRET_KEYS") ?? "{}");
const supabase = createClient(Deno.env.get("SUPABASE_URL") ?? "", key, {
  auth: { persistSession: false, autoRefreshToken: false },
});
const app = new Hono().basePath("/bare");

app.post("/", async (c) => {
  if (c.req.header("apikey") !== key) return c.json({ error: "unauthorized" }, 401);
  const parsed = body.safeParse(await c.req.json());
  if (!parsed.success) return c.json({ issues: parsed.error.issues }, 400);
  const { error } = await supabase.from("messenger_messages").insert(parsed.data);
  return error ? c.json({ error: error.message }, 500) : c.json({ accepted: true }, 202);
});

export default { fetch: app.fetch };
