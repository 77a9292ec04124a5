// The options of a local stack, and the handle of a running one.
import type { PostgresChoice } from "./database.ts";
import type { FunctionLimits } from "./function_process.ts";
import type { LimitKill } from "./functions.ts";
import type { Jwks, UserJwtOptions } from "./keys.ts";

/** Options of a local stack. */
export interface StackOptions {
  /** Port of the gateway; 0, the default, takes a free one. */
  port?: number;
  /** Folder of the keys and the database, kept between runs; default `.local` in the project. */
  dataDir?: string;
  /** Whether to begin with an empty database; default false. */
  reset?: boolean;
  /** The folder that holds `supabase/` (config.toml, migrations); default this project. */
  projectDir?: string;
  /** The folder of the functions; default `supabase/functions` of the project. */
  functionsDir?: string;
  /** A folder that takes the place of `_messages` beside the functions. */
  messages?: string;
  /**
   * Where functions find their modules. "project" (default): this project's import map and deno.json. "own": each
   * function's deno.json, as a deploy reads it; `messages` has no effect then.
   */
  modules?: "project" | "own";
  /** Path of the Deno that runs the functions; default: the one that runs the stack. */
  deno?: string;
  /**
   * 'embedded' (default): Postgres 17 from npm. `binDir`: a cluster run with these programs, e.g.
   * /usr/lib/postgresql/15/bin, with the real pg_cron where `realCron`. `url`: a database that
   * runs already, by a superuser's URL.
   */
  postgres?: PostgresChoice;
  /** False makes Postgres faster; a crash of the machine, not of Postgres, may lose data then. Default true. */
  durable?: boolean;
  /** More variables for the functions, and for `[db.vault]` in config.toml. */
  env?: Record<string, string>;
  /** true (default): by the Supabase CLI. 'sql': run the files, 3 s faster. false: leave it. */
  migrate?: boolean | "sql";
  /** Whether the stand-in for pg_cron runs jobs; default true. Without effect on the real one. */
  cron?: boolean;
  /** Whether the stand-in for pg_net sends requests; default true. */
  net?: boolean;
  /** Retires a function's process before it meets one, and kills it without warning beyond; default none. */
  limits?: FunctionLimits;
  /** PostgREST's connections to the database; default 10. */
  poolSize?: number;
  /** Told of each request to the stack's port, e.g. `POST /rest/v1/rpc/messenger_claim`. */
  onRequest?: (request: string) => void;
  /** Whether to start the functions at once instead of on their first request; default false. */
  warmUp?: boolean;
  /** Breaks the start off between two of its steps. */
  signal?: AbortSignal;
  /** Where the output of functions goes: nowhere ('quiet', the default), to stdout ('inherit'), or to a callback, line by line. */
  log?: "inherit" | "quiet" | ((line: string) => void);
  /** Called with each line that a function prints and the function's name, in the place of `log`. */
  onFunctionLine?: (name: string, line: string) => void;
}

/** A running stack. */
export interface Stack extends AsyncDisposable {
  /** Supabase URL of the project, e.g. http://127.0.0.1:54321. */
  readonly url: string;
  readonly port: number;
  /** The database as role `postgres`, who owns the project's objects and is no superuser. */
  readonly dbUrl: string;
  /** The database as a superuser. */
  readonly adminDbUrl: string;
  /** PostgREST itself, past the gateway; it knows roles by JWTs and serves at `/`. */
  readonly postgrestUrl: string;
  readonly publishableKey: string;
  readonly secretKey: string;
  /** The folder of the functions. */
  readonly functionsDir: string;
  /** The public keys that verify user JWTs. */
  readonly jwks: Jwks;
  /** A JWT as Auth issues it to a user who signs in. */
  mintUserJwt(options?: UserJwtOptions): Promise<string>;
  /** The process id of a function; undefined while none runs. */
  functionPid(name: string): number | undefined;
  /** Sends a signal (default SIGKILL) to a function's process and resolves when it has ended. */
  killFunction(name: string, signal?: Deno.Signal): Promise<void>;
  /**
   * Starts every function from the code on disk, as a deploy does. The processes before get no more requests,
   * and end when their work is done. Resolves to the names of the functions that did not start.
   */
  restartFunctions(): Promise<string[]>;
  /** Functions' processes that were killed for exceeding a limit, oldest first; grows. */
  readonly limitKills: readonly LimitKill[];
  /** Ends PostgREST and resolves when a new one is ready. */
  restartPostgrest(): Promise<void>;
  /**
   * Restarts Postgres on the same port: 'fast' in order, 'immediate' like a crash. The parts of the stack
   * reconnect by themselves. Throws an Error if the stack uses a database that it did not start.
   */
  restartPostgres(mode?: "fast" | "immediate"): Promise<void>;
  /** Ends every part and resolves when no process is left; may be called again. */
  stop(): Promise<void>;
}
