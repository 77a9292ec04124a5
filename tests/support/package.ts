/** The built package, as a user gets it: from a registry, installed into a folder of its own. */

import { NAME } from "../../package/entries.ts";
import { type ProgramOptions, type ProgramResult, runProgram } from "./programs.ts";

/** The package in the registry of this test run. */
export interface PublishedPackage {
  readonly name: string;
  readonly version: string;
  /** URL of the registry, without a slash at its end. */
  readonly registry: string;
  /** The run's folder, which goes with the registry. It has the built package in `built`. */
  readonly folder: string;
  /** Variables with which npm, npx and Deno take packages from it. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The package that this checkout builds. It is built and published once a test run.
 * @throws Error if the tests run without `deno task test`
 */
export function publishedPackage(): PublishedPackage {
  const registry = given("SYMPHONY_TEST_REGISTRY_URL");
  const folder = given("SYMPHONY_TEST_REGISTRY_FOLDER");
  return {
    name: NAME,
    version: given("SYMPHONY_TEST_PACKAGE_VERSION"),
    registry,
    folder,
    env: {
      NPM_CONFIG_REGISTRY: registry,
      // npx sets this one for what it starts.
      npm_config_registry: registry,
      npm_config_cache: `${folder}/npm-cache`,
      npm_config_audit: "false",
      npm_config_fund: "false",
      npm_config_update_notifier: "false",
      DENO_DIR: `${folder}/deno-cache`,
    },
  };
}

function given(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name}: is not set; run the tests with \`deno task test\``);
  return value;
}

/** A folder outside of the checkout. It is removed at the end of its scope. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** Writes a file, by its path within the folder. */
  write(path: string, text: string): Promise<void>;
  /** Runs a program in it, which takes packages from the registry. */
  run(
    program: string,
    args: readonly string[],
    options?: Omit<ProgramOptions, "cwd">,
  ): Promise<ProgramResult>;
}

/** Makes an empty folder. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const { env: registryEnv } = publishedPackage();
  const path = await Deno.makeTempDir({ prefix: "symphony-user-" });
  return {
    path,
    async write(name, text) {
      const file = `${path}/${name}`;
      await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(file, text);
    },
    run: (program, args, { env = {}, ...options } = {}) =>
      runProgram(program, args, { cwd: path, env: { ...registryEnv, ...env }, ...options }),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/**
 * Makes a folder with the package in its node_modules, as `npm install` leaves it.
 * @param others further packages, such as `zod@4.6.7`
 */
export async function installedPackage(others: readonly string[]): Promise<TemporaryFolder> {
  const { name, version } = publishedPackage();
  const folder = await temporaryFolder();
  try {
    await folder.write("package.json", JSON.stringify({ private: true, type: "module" }));
    await folder.run("npm", [
      ...["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact"],
      `${name}@${version}`,
      ...others,
    ]);
    return folder;
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}
