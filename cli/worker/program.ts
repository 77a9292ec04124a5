/** The command line of Deno that runs code beside the user's modules: these by their import map, the library by it. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "../errors.ts";
import { IMPORT_MAP, MESSAGES } from "../project/functions.ts";

/** Code that runs with the library and the project's messages. */
export interface Program {
  /** The project's folder. */
  readonly root: string;
  /** The module of the messages; by default the project's. */
  readonly messages: string | undefined;
  /** The configuration of Deno in a user's project; none by default. A checkout has its own. */
  readonly config?: string;
  /** The part of the library that the code imports. */
  readonly library: "index" | "edge";
  /** Finds its input in the array `INPUT`: the library's specifier, the module's URL, and `options`. */
  readonly code: string;
  readonly options?: unknown;
}

/** Variables with which Deno leaves the user's package.json and its own updates alone. */
export const DENO_ENV = { DENO_NO_PACKAGE_JSON: "1", DENO_NO_UPDATE_CHECK: "1" };

/** The library in a checkout of this project. */
const CHECKOUT = "supabase/functions/_shared/symphony";
/** The library in a user's project, as the import map names it. */
const PACKAGE = { index: "symphony-messenger", edge: "symphony-messenger/edge" };

/**
 * Makes the arguments for Deno.
 * @throws UsageError if the module of the messages, or the project's import map, is missing
 */
export function argumentsOf(
  { root, messages, config, library, code, options }: Program,
): string[] {
  const module = moduleOf(root, messages);
  if (!existsSync(module)) throw new UsageError(`--messages: there is no ${module}`);
  const own = join(root, CHECKOUT, `${library}.ts`);
  const isCheckout = existsSync(own);
  const importMap = join(root, IMPORT_MAP);
  if (!isCheckout && !existsSync(importMap)) {
    throw new UsageError(`${IMPORT_MAP}: is missing; run \`npx symphony-messenger init\` first`);
  }
  const input = [
    isCheckout ? pathToFileURL(own).href : PACKAGE[library],
    pathToFileURL(module).href,
    options,
  ];
  const flags = isCheckout
    ? ["--config", join(root, "deno.json")]
    // A package.json or deno.json of the user's own has nothing to do with it.
    : [
      ...config === undefined ? ["--no-config"] : ["--config", config],
      ...["--import-map", importMap, "--node-modules-dir=none"],
    ];
  return ["eval", "--quiet", ...flags, code.replace("INPUT", () => JSON.stringify(input))];
}

/** Path of the module of the messages. */
export function moduleOf(root: string, messages: string | undefined): string {
  return resolve(root, messages ?? join(MESSAGES, "mod.ts"));
}
