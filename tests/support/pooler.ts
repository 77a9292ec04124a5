/** pgbouncer in transaction mode before a database, as poolers of Supabase stand before a project's. */

import { fileExists, freePort, startProcess } from "../../local/process.ts";
import { isOpen } from "./programs.ts";
import { eventually } from "./stack.ts";

const PROGRAM = "/usr/sbin/pgbouncer";

/** Whether pgbouncer is on this machine; Debian has it as a package. */
export const hasPgbouncer: boolean = fileExists(PROGRAM);

/** A pooler that belongs to one test. */
export interface Pooler extends AsyncDisposable {
  /** The database through it, with the same role. */
  readonly url: string;
}

/**
 * Starts it before the database of a URL. A transaction may meet any of two connections, with what other transactions
 * have left there.
 */
export async function startPooler(databaseUrl: string): Promise<Pooler> {
  const folder = await Deno.makeTempDir({ prefix: "symphony-pooler-" });
  const database = new URL(databaseUrl);
  const port = freePort();
  await Deno.writeTextFile(`${folder}/pgbouncer.ini`, configOf(database, port));
  const lines: string[] = [];
  const pooler = startProcess(PROGRAM, {
    // It does not serve as root.
    args: [...Deno.uid() === 0 ? ["-u", "nobody"] : [], `${folder}/pgbouncer.ini`],
    env: {},
    onLine: (line) => lines.push(line),
  });
  const stop = async () => {
    await pooler.stop("SIGINT");
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await eventually(() => isOpen(port), (open) => open);
  } catch (error) {
    await stop();
    throw new Error(`pgbouncer does not serve:\n${lines.join("\n")}`, { cause: error });
  }
  const url = new URL(databaseUrl);
  url.port = String(port);
  return { url: url.href, [Symbol.asyncDispose]: stop };
}

function configOf({ hostname, port, pathname, username, password }: URL, listenPort: number) {
  const name = pathname.slice(1);
  return `[databases]
${name} = host=${hostname} port=${port} dbname=${name} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
`;
}
