// The local stack: a Supabase project on this machine, without Docker. Starts the parts in order and
// ends them in the opposite one.
import { authApi } from "./auth_api.ts";
import { bootstrap, type StandIns } from "./bootstrap.ts";
import { readConfig } from "./config.ts";
import { type Database, openDatabase } from "./database.ts";
import { dataApi } from "./data_api.ts";
import { lockDataFolder, resetDataFolder } from "./data_folder.ts";
import { functionEnvironment, writeImportMap } from "./function_environment.ts";
import { type Functions, serveFunctions } from "./functions.ts";
import { type Gateway, openGateway } from "./gateway.ts";
import { type Keys, loadKeys, userClaims } from "./keys.ts";
import { migrate } from "./migrate.ts";
import { startPgCron } from "./pg_cron.ts";
import { startPgNet } from "./pg_net.ts";
import { type Postgrest, startPostgrest } from "./postgrest.ts";
import type { Stack, StackOptions } from "./stack_options.ts";

export type { Stack, StackOptions } from "./stack_options.ts";
export { StackError } from "./errors.ts";

/** The folder of this project, without a trailing slash. */
export const PROJECT_DIR = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** Shared by the parts of the stack: the options, and the other parts. */
interface Context {
  options: StackOptions;
  /** Ends, in the opposite order, what has been started. */
  parts: AsyncDisposableStack;
  projectDir: string;
  dataDir: string;
  keys: Keys;
  url: string;
  /** Issuer of the project's JWTs, as on a hosted project. */
  issuer: string;
}

/**
 * Starts a stack and resolves when it serves. When a part does not start, the others are ended
 * again. Throws a StackError, fit to be shown as it is, for what a person can mend: a port or a data
 * folder in use, a Postgres that does not start, a migration that fails; the signal's reason when it
 * is aborted.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const parts = new AsyncDisposableStack();
  try {
    return await startParts(options, parts);
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

async function startParts(options: StackOptions, parts: AsyncDisposableStack): Promise<Stack> {
  const dataDir = absolute(options.dataDir ?? `${PROJECT_DIR}/.local`);
  outliveLostConnections(parts);
  const lock = await lockDataFolder(dataDir);
  parts.defer(() => lock.close());
  if (options.reset) await resetDataFolder(dataDir);
  const gateway = openGateway(options.port ?? 0);
  parts.defer(() => gateway.stop());

  const url = `http://127.0.0.1:${gateway.port}`;
  const context: Context = {
    options,
    parts,
    projectDir: absolute(options.projectDir ?? PROJECT_DIR),
    dataDir,
    keys: await loadKeys(`${dataDir}/keys.json`),
    url,
    issuer: `${url}/auth/v1`,
  };
  const { database, standIns } = await prepareDatabase(context);
  options.signal?.throwIfAborted();
  const postgrest = await startPostgrest({
    databaseUrl: database.authenticatorUrl,
    jwks: context.keys.jwks,
    poolSize: options.poolSize ?? 10,
  });
  parts.defer(() => postgrest.stop());
  const functions = await prepareFunctions(context, database);
  await connect(context, gateway, database, postgrest, functions);
  await startStandIns(context, database, standIns);
  options.signal?.throwIfAborted();
  return describeStack(context, gateway.port, database, postgrest, functions);
}

async function prepareDatabase(
  { options, parts, projectDir, dataDir, keys, url }: Context,
): Promise<{ database: Database; standIns: StandIns }> {
  const database = await openDatabase(options.postgres ?? "embedded", {
    dataDir: `${dataDir}/postgres`,
    password: keys.databasePassword,
    durable: options.durable ?? true,
  });
  parts.defer(() => database.stop());
  options.signal?.throwIfAborted();
  const standIns = await bootstrap({ ...database, url: database.adminUrl });
  if (options.migrate !== false) {
    await migrate({
      projectDir,
      url: database.ownerUrl,
      env: { SYMPHONY_URL: url, SYMPHONY_SECRET_KEY: keys.secretKey, ...options.env },
      by: options.migrate === "sql" ? "sql" : "cli",
    });
  }
  return { database, standIns };
}

async function prepareFunctions(context: Context, database: Database): Promise<Functions> {
  const { options, parts, dataDir, keys, url } = context;
  const dir = functionsDir(context);
  const { messages, log = "quiet", onFunctionLine } = options;
  const functions = serveFunctions({
    dir,
    deno: options.deno,
    modules: options.modules === "own" ? "own" : {
      config: `${PROJECT_DIR}/deno.json`,
      importMap: await writeImportMap({
        projectDir: PROJECT_DIR,
        functionsDir: dir,
        dataDir,
        messages,
      }),
    },
    env: functionEnvironment({
      url,
      keys,
      databaseUrl: database.ownerUrl,
      // Webhooks of the demo and of tests go to servers on this machine.
      extra: { WEBHOOK_ALLOW_PRIVATE: "127.0.0.1,localhost", ...options.env },
    }),
    limits: options.limits ?? {},
    onLine: onFunctionLine ?? ((name, line) => {
      if (log === "inherit") console.log(`[${name}] ${line}`);
      else if (log !== "quiet") log(`[${name}] ${line}`);
    }),
  });
  parts.defer(() => functions.stop());
  return functions;
}

async function connect(
  { options, parts, projectDir, keys, issuer }: Context,
  gateway: Gateway,
  database: Database,
  postgrest: Postgrest,
  functions: Functions,
): Promise<void> {
  const auth = authApi({ keys, issuer, databaseUrl: database.adminUrl });
  parts.defer(() => auth.stop());
  const config = await readConfig(`${projectDir}/supabase/config.toml`);
  gateway.connect({
    ...(options.onRequest && { onRequest: options.onRequest }),
    dataApi: dataApi({ keys, issuer, postgrestUrl: postgrest.url }),
    authApi: auth,
    functions,
    keys,
    verifiesJwt: (name) => config.functions?.[name]?.verify_jwt !== false,
  });
  if (options.warmUp) await functions.warmUp(await functions.names());
}

async function startStandIns(
  { options, parts }: Context,
  { adminUrl }: Database,
  standIns: StandIns,
): Promise<void> {
  if (standIns.net && (options.net ?? true)) {
    const net = await startPgNet(adminUrl);
    parts.defer(() => net.stop());
  }
  if (standIns.cron && (options.cron ?? true)) {
    const cron = startPgCron(adminUrl);
    parts.defer(() => cron.stop());
  }
}

function describeStack(
  context: Context,
  port: number,
  database: Database,
  postgrest: Postgrest,
  functions: Functions,
): Stack {
  const { parts, keys, url, issuer } = context;
  return {
    url,
    port,
    functionsDir: functionsDir(context),
    dbUrl: database.ownerUrl,
    adminDbUrl: database.adminUrl,
    postgrestUrl: postgrest.url,
    publishableKey: keys.publishableKey,
    secretKey: keys.secretKey,
    jwks: keys.jwks,
    mintUserJwt: (jwt = {}) => keys.sign(userClaims(jwt), issuer, jwt.expiresInS ?? 3600),
    functionPid: (name) => functions.pid(name),
    killFunction: (name, signal = "SIGKILL") => functions.kill(name, signal),
    restartFunctions: () => functions.restart(),
    limitKills: functions.limitKills,
    restartPostgrest: () => postgrest.restart(),
    restartPostgres: (mode) => database.restart(mode),
    stop: () => parts.disposeAsync(),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function functionsDir({ options, projectDir }: Context): string {
  return absolute(options.functionsDir ?? `${projectDir}/supabase/functions`);
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}

/** Codes of a connection to Postgres that ended under its user; 57P01 is the server's word that it stops. */
const LOST_CONNECTION = new Set([
  ...["ECONNRESET", "ECONNREFUSED", "EPIPE", "CONNECTION_CLOSED"],
  "57P01",
]);

/**
 * Keeps the stack alive when Postgres crashes. On a reset connection, postgres.js rejects internal promises
 * that no caller can catch, and an open transaction throws when it writes to the closed socket. The caller
 * of the query gets its error in any case.
 */
function outliveLostConnections(parts: AsyncDisposableStack): void {
  const onRejection = (event: PromiseRejectionEvent) => {
    if (LOST_CONNECTION.has(event.reason?.code)) event.preventDefault();
  };
  const onError = (event: ErrorEvent) => {
    const { stack = "" } = event.error instanceof TypeError ? event.error : {};
    if (/reading 'write'[^]*postgres\/src\/connection\.js/.test(stack)) event.preventDefault();
  };
  addEventListener("unhandledrejection", onRejection);
  addEventListener("error", onError);
  parts.defer(() => {
    removeEventListener("unhandledrejection", onRejection);
    removeEventListener("error", onError);
  });
}
