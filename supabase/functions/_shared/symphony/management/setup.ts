/**
 * Setup: makes the rows, cron jobs and secrets that a schema alone does not bring. The function knows its
 * own URL and keys, so a preview branch, a restored project and a rotated key need no value of an operator.
 */

import { resolveEnv } from "@supabase/server/core";
import { z } from "@hono/zod-openapi";
import type { SupabaseClient } from "@supabase/supabase-js";
import { actingAs } from "../database/acting.ts";
import { askForTick, setUp } from "../database/installing.ts";
import { Problem } from "../http/problem.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import type { ManagementParts } from "./parts.ts";
import { HELD_BY_POSTGRES, text } from "./query-fields.ts";

/** The key that a project may keep for the tick alone. */
const OWN_KEY = "messenger";

const body = z.strictObject({
  url: z.string().regex(/^https?:\/\/\S+$/, "has to begin with http:// or https://").max(2_000)
    .refine(...HELD_BY_POSTGRES)
    .optional().openapi({
      description: "Where the database reaches the functions; default: the project's URL",
    }),
  key: text(200).optional().openapi({
    description: `Name of the secret key for the tick; default: ${OWN_KEY}, or else default`,
  }),
  repair: z.boolean().default(true).openapi({
    description: "Switches cron jobs on, and makes one of our name that runs something else ours",
  }),
});

const answer = z.object({
  changed: z.boolean(),
  queues: z.array(z.string()).openapi({ description: "Queues that were made" }),
  jobs: z.record(z.string(), z.enum(["created", "kept", "repaired", "of another user"])),
  secrets: z.array(z.string()).openapi({ description: "Names of the secrets that were written" }),
  alerts: z.array(z.string()).default([]).openapi({
    description: "Default alerts that were made",
  }),
  problems: z.array(z.object({ name: z.string(), problem: z.string() })).openapi({
    description: "Cron jobs that are still not as they have to be",
  }),
  url: z.string(),
  key: z.string().openapi({ description: "Name of the key" }),
  tick: z.string().nullable().openapi({
    description: "null: a tick was asked for, to try the whole way; otherwise why it was not",
  }),
}).openapi("Setup");

/** Adds the endpoint. */
export function addSetup(app: ManagementApp, { supabase }: ManagementParts): void {
  addEndpoint(app, {
    method: "post",
    path: "/setup",
    operationId: "setUp",
    tag: "status",
    summary: "Makes the rows, cron jobs and secrets of the bus, where they are missing",
    description: "With a secret key only. It may be called again at any time.",
    body,
    answer,
  }, async ({ body, operator }) => {
    if (!operator.hasSecretKey) {
      throw new Problem(403, "forbidden", "The setup takes a secret key");
    }
    const { url, key } = ownAddress(body);
    const client = actingAs(supabase, operator.actor);
    const { repair } = body;
    const done = await setUp(client, { url, secretKey: key.value, repair });
    return { ...done, url, key: key.name, tick: await tryTick(supabase) };
  });
}

/** @throws Problem 400 if there is no key of the given name, 500 if the function has none */
function ownAddress({ url, key }: z.output<typeof body>) {
  const { data: env } = resolveEnv();
  const keys = env?.secretKeys ?? {};
  const name = key ?? [OWN_KEY, "default", ...Object.keys(keys)].find((name) => keys[name]);
  const value = name === undefined ? undefined : keys[name];
  if (name !== undefined && value !== undefined) {
    return { url: url ?? env?.url ?? "", key: { name, value } };
  }
  if (key === undefined) {
    throw new Problem(
      500,
      "misconfigured",
      "The function has no secret key (SUPABASE_SECRET_KEYS)",
    );
  }
  throw new Problem(400, "invalid_request", `key: the function has no secret key ${key}`, [
    { path: ["key"], message: `the function has no secret key ${key}` },
  ]);
}

async function tryTick(supabase: SupabaseClient): Promise<string | null> {
  try {
    await askForTick(supabase);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
