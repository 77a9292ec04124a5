/**
 * The calls of functions of a published release: those of 0.1.0, with its parameters and no later ones. A release
 * only adds to them, so that functions of an older release work on each newer schema.
 */

import postgres from "postgres";
import { migrate } from "../../local/migrate.ts";
import { migrationsIn, SUPABASE } from "../../local/release_source.ts";
import { faultOf } from "../../supabase/functions/_shared/symphony/database/fault.ts";
import { createPlainDatabase } from "./plain_database.ts";
import { startTestStack, type TestStack } from "./stack.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;

/** Postgres broke a deadlock, or a lock was not free in time: the push changed nothing and is repeated. */
const TRANSIENT = new Set(["40P01", "55P03"]);
const MAX_ATTEMPTS = 10;

/** A message that is to be written. */
export interface OlderMessage {
  readonly type: string;
  readonly queue: string;
  readonly payload?: unknown;
  readonly group_key?: string;
  readonly delay_ms?: number;
}

/** Messages under one token. */
export interface OlderClaim {
  readonly token: string;
  readonly ids: string[];
  readonly payloads: unknown[];
}

/** The functions of an older release, through the Data API. */
export class OlderWorker {
  constructor(private readonly stack: TestStack) {}

  /** Writes messages. */
  async enqueue(messages: readonly OlderMessage[]): Promise<void> {
    await this.#call("messenger_enqueue", { messages, checked: true });
  }

  /** Claims exactly this number of messages of a queue, under one token. @throws Error if there are fewer */
  async take(queue: string, number: number, leaseMs = 600_000): Promise<OlderClaim> {
    const claim = await this.claim(queue, number, leaseMs);
    if (claim.ids.length === number) return claim;
    throw new Error(`${queue}: claimed ${claim.ids.length} messages, and not ${number}`);
  }

  /** Claims messages of a queue, and sweeps none whose lease ran out. */
  async claim(queue: string, number: number, leaseMs = 600_000): Promise<OlderClaim> {
    const token = crypto.randomUUID();
    const { messages } = await this.#call<{ messages: [id: number, type: string, unknown][] }>(
      "messenger_claim",
      { token, max_messages: number, lease_ms: leaseMs, queues: [queue], sweep: false },
    );
    const ids = messages.map(([id]) => String(id));
    return { token, ids, payloads: messages.map(([, , payload]) => payload) };
  }

  /** Writes outcomes. @returns the ids whose outcome was not written */
  async settle(token: string, outcomes: Record<string, unknown>): Promise<string[]> {
    const settlements = [{ token, ...outcomes }];
    return (await this.#call<{ stale: string[] }>("messenger_settle", { settlements })).stale;
  }

  async #call<Answer>(name: string, args: Record<string, unknown>): Promise<Answer> {
    for (let attempt = 1;; attempt++) {
      const { data, error } = await this.stack.client.rpc(name, args);
      if (!error) return data;
      // As the library does.
      if (faultOf(error) !== "passing" || attempt === MAX_ATTEMPTS) {
        throw new Error(`${name}: ${error.code} ${error.message}`);
      }
    }
  }
}

/** A stack whose database has an older release, with the functions of this checkout. */
export interface OlderStack extends AsyncDisposable {
  readonly stack: TestStack;
  /** Applies the migrations that are missing, as `supabase db push` does: again, if a lock was not free. */
  push(): Promise<void>;
}

/**
 * Starts a stack with the migrations up to a release.
 * @param functionsDir the functions; default: those of this checkout
 */
export async function startOlderStack(
  version: string,
  functionsDir = `${SUPABASE}functions`,
): Promise<OlderStack> {
  const folder = await Deno.makeTempDir({ prefix: "symphony-older-" });
  await Deno.mkdir(`${folder}/supabase/migrations`, { recursive: true });
  await Deno.copyFile(`${SUPABASE}config.toml`, `${folder}/supabase/config.toml`);
  const last = migrationsIn().findIndex((release) => release.version === version);
  for (const { name } of migrationsIn().slice(0, last + 1)) {
    await Deno.copyFile(`${SUPABASE}migrations/${name}`, `${folder}/supabase/migrations/${name}`);
  }
  const database = await createPlainDatabase();
  const stack = await startTestStack({
    postgres: { url: database.url },
    projectDir: folder,
    functionsDir,
  });
  const env = { SYMPHONY_URL: stack.url, SYMPHONY_SECRET_KEY: stack.secretKey };
  return {
    stack,
    push: async () => {
      for (let attempt = 1;; attempt++) {
        try {
          return await migrate({ projectDir: PROJECT, url: stack.dbUrl, env, by: "sql" });
        } catch (error) {
          const isTransient = error instanceof postgres.PostgresError && TRANSIENT.has(error.code);
          if (!isTransient || attempt === MAX_ATTEMPTS) throw error;
        }
      }
    },
    [Symbol.asyncDispose]: async () => {
      await stack.stop();
      await database.drop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
