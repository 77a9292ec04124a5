// Runs PostgREST, the Data API, as a child process and starts it again when it ends by itself.
import { fileURLToPath } from "node:url";
import { POSTGREST_VARIABLE, postgrestPackage, programName, thisPlatform } from "./platform.ts";
import { fileExists, freePort, type OwnedProcess, startProcess } from "./process.ts";
import { INSTALL_COMMAND } from "./postgres_binaries.ts";
import { StackError } from "./errors.ts";
import type { Jwks } from "./keys.ts";

const RESTART_AFTER_MS = 200;

/** How to run PostgREST. */
export interface PostgrestOptions {
  /** The database, as the role `authenticator`. */
  databaseUrl: string;
  jwks: Jwks;
  /** Connections to the database. */
  poolSize: number;
}

/** A running PostgREST. */
export interface Postgrest {
  /** Its address, without a trailing slash. */
  readonly url: string;
  /** Ends the process and resolves when a new one is ready. */
  restart(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

/** Starts PostgREST and resolves when it serves. Throws a StackError when it does not start. */
export async function startPostgrest(options: PostgrestOptions): Promise<Postgrest> {
  const postgrest = new SupervisedPostgrest(postgrestProgram(), options);
  try {
    await postgrest.start();
    return postgrest;
  } catch (error) {
    await postgrest.stop();
    throw error;
  }
}

function postgrestProgram(): string {
  const own = Deno.env.get(POSTGREST_VARIABLE);
  if (own) {
    if (fileExists(own)) return own;
    throw new StackError(`${POSTGREST_VARIABLE}: there is no program ${own}`);
  }
  const platform = thisPlatform();
  const name = postgrestPackage(platform);
  const program = programName("postgrest", platform);
  const binary = fileURLToPath(import.meta.resolve(`${name}/${program}`));
  if (fileExists(binary)) return binary;
  throw new StackError(`PostgREST (${name}) is not installed: run \`${INSTALL_COMMAND}\``);
}

class SupervisedPostgrest implements Postgrest {
  readonly #port = freePort();
  readonly #adminPort = freePort();
  readonly #env: Record<string, string>;
  readonly url = `http://127.0.0.1:${this.#port}`;
  /** Undefined while none is meant to run. */
  #process: OwnedProcess | undefined;
  #restartTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly binary: string, options: PostgrestOptions) {
    this.#env = {
      PGRST_DB_URI: options.databaseUrl,
      PGRST_DB_SCHEMAS: "public",
      PGRST_DB_EXTRA_SEARCH_PATH: "public, extensions",
      PGRST_DB_ANON_ROLE: "anon",
      PGRST_DB_MAX_ROWS: "1000",
      PGRST_DB_POOL: String(options.poolSize),
      PGRST_JWT_SECRET: JSON.stringify(options.jwks),
      PGRST_JWT_CACHE_MAX_LIFETIME: "300",
      PGRST_SERVER_HOST: "127.0.0.1",
      PGRST_SERVER_PORT: String(this.#port),
      PGRST_ADMIN_SERVER_PORT: String(this.#adminPort),
    };
  }

  async start(): Promise<void> {
    const log: string[] = [];
    const started = startProcess(this.binary, {
      args: [],
      env: this.#env,
      onLine: (line) => log.push(line) && log.splice(0, log.length - 10),
    });
    this.#process = started;
    let hasEnded = false;
    started.exited.then(() => {
      hasEnded = true;
      if (this.#process !== started) return;
      this.#restartTimer = setTimeout(() => this.start().catch(() => {}), RESTART_AFTER_MS);
    });
    while (!await isReady(this.#adminPort)) {
      if (hasEnded) throw new StackError(`PostgREST does not start:\n${log.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#restartTimer);
    const ended = this.#process;
    this.#process = undefined;
    await ended?.stop("SIGTERM");
  }
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/ready`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
