/** Which modules a function consists of: what its source imports, and what its process has loaded. */

import { TextLineStream } from "@std/streams/text-line-stream";
import { READY_PREFIX } from "../../local/function_worker.ts";
import { ask, type ColdFunction, type FunctionHost } from "./functions.ts";

/** Numbers of modules, and bytes of their code. */
export interface Modules {
  /** Files of the project that it imports, lazily or not, and their size as `deno info` tells it. */
  readonly own: Size;
  /** Files of packages that were loaded when it had answered its first request. */
  readonly packages: Size;
}

/** How much it is. */
export interface Size {
  readonly count: number;
  readonly bytes: number;
}

const WORKER = new URL("../../local/function_worker.ts", import.meta.url).pathname;

/** Counts the modules of a function. @throws Error where it cannot be loaded */
export async function modulesOf(host: FunctionHost, asked: ColdFunction): Promise<Modules> {
  return { own: await ownModules(host, asked), packages: await loadedPackages(host, asked) };
}

async function ownModules(
  { config, importMap }: FunctionHost,
  { entrypoint, name }: ColdFunction,
): Promise<Size> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", config, "--import-map", importMap, entrypoint],
    stderr: "null",
  }).output();
  if (!success) throw new Error(`deno info cannot read the function ${name}`);
  const { modules }: { modules: { specifier: string; size?: number }[] } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  return sum(
    modules.filter(({ specifier }) => specifier.startsWith("file:")).map(({ size = 0 }) => size),
  );
}

/** `deno info` does not look into packages, so V8 is asked which of their files it has parsed. */
async function loadedPackages(host: FunctionHost, asked: ColdFunction): Promise<Size> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--inspect-wait=127.0.0.1:0"],
      ...["--config", host.config, "--import-map", host.importMap],
      WORKER,
      `file://${asked.entrypoint}`,
    ],
    env: host.env,
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  try {
    const debuggerUrl = await lineWith(child.stderr, "Debugger listening on ");
    const scripts = await watchScripts(debuggerUrl);
    const port = await lineWith(child.stdout, READY_PREFIX);
    await ask(host, `http://127.0.0.1:${port}`, asked);
    return sum(
      scripts.filter(({ url }) => url.includes("/node_modules/")).map(({ length }) => length),
    );
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

/** Resolves with the rest of the first line that begins so, and reads on. */
async function lineWith(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
  prefix: string,
): Promise<string> {
  const lines = output.pipeThrough(new TextDecoderStream()).pipeThrough<string>(
    new TextLineStream(),
  );
  const found = Promise.withResolvers<string>();
  (async () => {
    for await (const line of lines) {
      if (line.startsWith(prefix)) found.resolve(line.slice(prefix.length).trim());
    }
    found.reject(new Error(`the process ended without a line "${prefix}"`));
  })().catch(found.reject);
  return await found.promise;
}

/** Lets a process that waits for its debugger run. @returns the scripts that V8 has parsed; it grows */
async function watchScripts(url: string): Promise<readonly { url: string; length: number }[]> {
  const scripts: { url: string; length: number }[] = [];
  const socket = new WebSocket(url);
  socket.addEventListener("message", ({ data }) => {
    const { method, params } = JSON.parse(data);
    if (method === "Debugger.scriptParsed") scripts.push(params);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  ["Debugger.enable", "Runtime.enable", "Runtime.runIfWaitingForDebugger"].forEach(
    (method, index) => socket.send(JSON.stringify({ id: index + 1, method })),
  );
  return scripts;
}

function sum(bytes: readonly number[]): Size {
  return { count: bytes.length, bytes: bytes.reduce((total, one) => total + one, 0) };
}
