// The database of a stack, by choice a server of its own or one that runs already.
import { embeddedBinDir } from "./postgres_binaries.ts";
import { type PostgresServer, startPostgres, SUPERUSER } from "./postgres.ts";
import { StackError } from "./errors.ts";

/** Which Postgres a stack uses; see StackOptions.postgres. */
export type PostgresChoice = "embedded" | { binDir: string; realCron: boolean } | { url: string };

/** Options of a Postgres server that the stack starts itself. */
export interface ClusterOptions {
  dataDir: string;
  password: string;
  durable: boolean;
}

/** A database that accepts connections. */
export interface Database {
  /** URL of a superuser. */
  readonly adminUrl: string;
  /** URL of the role that owns the project's objects. */
  readonly ownerUrl: string;
  /** URL of the role that PostgREST connects as. */
  readonly authenticatorUrl: string;
  /** Password of the roles that the bootstrap makes. */
  readonly password: string;
  /** Whether the real pg_cron is to be created. */
  readonly realCron: boolean;
  restart(mode?: "fast" | "immediate"): Promise<void>;
  stop(): Promise<void>;
}

/** Settings that the real pg_cron needs; background workers run its jobs without a password. */
const PG_CRON_SETTINGS = {
  shared_preload_libraries: "pg_cron",
  "cron.database_name": "postgres",
  "cron.use_background_workers": "on",
};

/** Opens the chosen database. Throws a StackError when it does not start or the URL is none. */
export async function openDatabase(
  choice: PostgresChoice,
  options: ClusterOptions,
): Promise<Database> {
  if (typeof choice === "object" && "url" in choice) return runningDatabase(choice.url);
  const { binDir, realCron } = choice === "embedded"
    ? { binDir: await embeddedBinDir(), realCron: false }
    : choice;
  const server = await startPostgres({
    ...options,
    binDir,
    settings: realCron ? PG_CRON_SETTINGS : {},
  });
  return ownDatabase(server, options.password, realCron);
}

function ownDatabase(server: PostgresServer, password: string, realCron: boolean): Database {
  const urlAs = (role: string) =>
    `postgresql://${role}:${password}@127.0.0.1:${server.port}/postgres`;
  return {
    adminUrl: urlAs(SUPERUSER),
    ownerUrl: urlAs("postgres"),
    authenticatorUrl: urlAs("authenticator"),
    password,
    realCron,
    restart: server.restart,
    stop: server.stop,
  };
}

/** The roles get the superuser's own password: several stacks may share a server, and its roles. */
function runningDatabase(url: string): Database {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed?.protocol.startsWith("postgres")) {
    throw new StackError("postgres.url: must be a postgresql:// URL");
  }
  const password = decodeURIComponent(parsed.password) || "postgres";
  const authenticator = new URL(url);
  authenticator.username = "authenticator";
  authenticator.password = encodeURIComponent(password);
  return {
    adminUrl: url,
    ownerUrl: url,
    authenticatorUrl: authenticator.href,
    password,
    realCron: false,
    restart: () =>
      Promise.reject(new Error("the stack does not own this Postgres, and cannot restart it")),
    stop: () => Promise.resolve(),
  };
}
