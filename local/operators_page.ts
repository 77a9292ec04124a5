// The operators' page of a stack that runs in the foreground: built from its sources, and served with the stack's key.
import { resolve } from "node:path";
import { type ConsoleServer, startConsole } from "../cli/console/console-server.ts";
import type { Stack } from "./stack.ts";

/** The build takes 0.2 s, and longer where the machine is busy. */
const BUILD_TIMEOUT_MS = 60_000;

/**
 * Builds the page into the stack's data folder, serves it, and prints its address. A stack without the page is better
 * than none: a failure is printed, and returned as null.
 */
export async function serveOperatorsPage(
  { url, secretKey }: Pick<Stack, "url" | "secretKey">,
  dataDir: string,
): Promise<ConsoleServer | null> {
  try {
    // esbuild and the page's packages are in deno.lock for this.
    const { buildConsole, endBuilds } = await import("../package/console.ts");
    // Stacks that run side by side each have a folder of their own.
    const folder = `${resolve(dataDir)}/console`;
    await within(buildConsole(folder), BUILD_TIMEOUT_MS).finally(endBuilds);
    const server = await startConsole({ url, secretKey, prefix: "", folder });
    console.log(`\nconsole  ${server.url}`);
    return server;
  } catch (error) {
    console.error(`\nThe console did not start: ${error instanceof Error ? error.message : error}`);
    return null;
  }
}

function within<Value>(work: Promise<Value>, ms: number): Promise<Value> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`its build took longer than ${ms / 1000} s`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
