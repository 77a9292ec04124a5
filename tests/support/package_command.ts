/** The package's command, as npx takes it from the registry of this test run. */

import { tmpdir } from "node:os";
import { publishedPackage } from "./package.ts";
import { type ProgramOptions, type ProgramResult, runProgram } from "./programs.ts";

const paths = new Map<string, Promise<string>>();

/**
 * Runs `npx symphony-messenger` in a folder.
 * @throws Error with its output if it fails and may not
 */
export function npxSymphony(
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  const { name, version } = publishedPackage();
  return alone(() => run("npx", ["--yes", `${name}@${version}`, ...args], options));
}

/** Path of the command of a version, for tests that run it often: npx alone takes a second. */
export function commandPath(version = publishedPackage().version): Promise<string> {
  const { name } = publishedPackage();
  const known = paths.get(version);
  if (known) return known;
  const path = alone(() =>
    run(
      "npx",
      ["--yes", `--package=${name}@${version}`, "--", "sh", "-c", `command -v ${name}`],
      { cwd: tmpdir() },
    )
  ).then(({ stdout }) => stdout.trim());
  paths.set(version, path);
  return path;
}

function run(
  program: string,
  args: readonly string[],
  { env, ...options }: ProgramOptions,
): Promise<ProgramResult> {
  return runProgram(program, args, { ...options, env: { ...publishedPackage().env, ...env } });
}

/** Test files run side by side, and npx must not install a package into one folder twice at a time. */
async function alone<Result>(run: () => Promise<Result>): Promise<Result> {
  const path = `${publishedPackage().folder}/npx.lock`;
  using file = await Deno.open(path, { create: true, write: true });
  await file.lock(true);
  return await run();
}
