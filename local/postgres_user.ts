// Decides as whom Postgres runs: it refuses to run as root.
import { fileExists, hasSetpriv } from "./process.ts";
import { StackError } from "./errors.ts";

/** A user of this machine, by number. */
export interface UnixUser {
  uid: number;
  gid: number;
}

/**
 * The user that runs Postgres when this process is root: the owner of an existing data folder, else
 * the user `postgres`, else `nobody`. Undefined when this process is not root.
 * Throws a StackError when setpriv(1) is missing.
 */
export function postgresUser(dataDir: string): UnixUser | undefined {
  if (Deno.uid() !== 0) return undefined;
  if (!hasSetpriv) {
    throw new StackError(
      "Postgres cannot run as root: install util-linux (setpriv), or use another user",
    );
  }
  if (fileExists(dataDir)) {
    const { uid, gid } = Deno.statSync(dataDir);
    if (uid !== null && gid !== null && uid !== 0) return { uid, gid };
  }
  const accounts = Deno.readTextFileSync("/etc/passwd").split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const account = accounts.find((fields) => fields[0] === name);
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new StackError(
    "Postgres cannot run as root: create a user `postgres`, or use another user",
  );
}

/**
 * Flags of setpriv(1) to run as a user. Where a folder on the way to `paths` is closed to others, as
 * those of `mktemp -d` are, the process keeps root's right to pass it; NO_SETUID_FIXUP lets
 * access(2), which initdb calls, see that right too.
 */
export function runAs(user: UnixUser | undefined, paths: string[]): string[] {
  if (user === undefined) return [];
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  if (paths.every(isOpenToOthers)) return identity;
  return [
    ...identity,
    "--securebits=+no_setuid_fixup",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
  ];
}

function isOpenToOthers(path: string): boolean {
  for (let folder = parentOf(Deno.realPathSync(path)); folder !== ""; folder = parentOf(folder)) {
    if (((Deno.statSync(folder).mode ?? 0) & 0o001) === 0) return false;
  }
  return true;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
