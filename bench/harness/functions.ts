/** Starts a function in a fresh process, as the local stack does, and asks it its first question. */

import { functionEnvironment, writeImportMap } from "../../local/function_environment.ts";
import { type FunctionProcess, startFunctionProcess } from "../../local/function_process.ts";
import type { World } from "./world.ts";

/** A function that can be started, and the request that it is asked. */
export interface ColdFunction {
  /** As its URL has it. */
  readonly name: string;
  /** As results call it; default: its name. */
  readonly label?: string;
  /** Path of its index.ts. */
  readonly entrypoint: string;
  readonly method: "GET" | "POST";
  /** After the function's own name, such as `/queues`. */
  readonly path?: string;
  readonly body?: string;
  readonly status: number;
}

/** Configuration that the processes of functions are started with. */
export interface FunctionHost {
  readonly config: string;
  readonly importMap: string;
  readonly env: Record<string, string>;
  readonly secretKey: string;
}

/** A process that has been started, and when. */
export interface StartedFunction extends AsyncDisposable {
  readonly pid: number;
  readonly url: string;
  /** From the start of the process until it listened, in ms. */
  readonly loadedMs: number;
  /** From the start of the process until now, in ms. */
  sinceStart(): number;
}

const ROOT = new URL("../../", import.meta.url).pathname;
const FUNCTIONS = `${ROOT}supabase/functions`;
const MESSAGES = new URL("../messages", import.meta.url).pathname;

/** The entry point of one of the project's functions. */
export function entrypointOf(name: string): string {
  return `${FUNCTIONS}/${name}/index.ts`;
}

/**
 * Prepares what the processes need: the environment of a function of the stack, and the messages of the
 * benchmarks in the place of the project's.
 * @param folder a folder to write an import map into
 */
export async function prepareHost({ stack }: World, folder: string): Promise<FunctionHost> {
  return {
    config: `${ROOT}deno.json`,
    importMap: await writeImportMap({
      projectDir: ROOT.replace(/\/$/, ""),
      functionsDir: FUNCTIONS,
      dataDir: folder,
      messages: MESSAGES,
    }),
    env: functionEnvironment({
      url: stack.url,
      keys: stack,
      databaseUrl: stack.dbUrl,
      extra: { SYMPHONY_LOG_LEVEL: "error" },
    }),
    secretKey: stack.secretKey,
  };
}

/** Starts a fresh process. @throws Error where the function does not load */
export async function startFunction(
  { config, importMap, env }: FunctionHost,
  { name, entrypoint }: ColdFunction,
): Promise<StartedFunction> {
  const startedAt = performance.now();
  const sinceStart = () => performance.now() - startedAt;
  const process: FunctionProcess = startFunctionProcess({
    entrypoint: `file://${entrypoint}`,
    importMap,
    config,
    env,
    limits: {},
    onLine: (line) => console.error(`[${name}] ${line}`),
    onRetire: () => {},
  });
  const url = await process.url;
  const loadedMs = sinceStart();
  if (url === undefined) throw new Error(`the function ${name} did not start`);
  return {
    pid: process.pid,
    url,
    loadedMs,
    sinceStart,
    [Symbol.asyncDispose]: () => process.stop("SIGTERM"),
  };
}

/** Asks a function its question once. @throws Error where the response has another status */
export async function ask(
  { secretKey }: Pick<FunctionHost, "secretKey">,
  url: string,
  { name, method, path = "", body, status }: ColdFunction,
): Promise<void> {
  const response = await fetch(`${url}/${name}${path}`, {
    method,
    headers: { apikey: secretKey, "content-type": "application/json" },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  if (response.status !== status) throw new Error(`${name}: ${response.status} ${text}`);
}
