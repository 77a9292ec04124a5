// The first module of a function's process: gives the function what Supabase's edge runtime gives
// it (EdgeRuntime.waitUntil, `beforeunload`, a Deno.serve that ignores ports), then serves it.
// Arguments: the URL of the function's index.ts.

/** Starts a line of stdout that tells the stack the port; no function prints a NUL by accident. */
export const READY_PREFIX = "\0listening on ";
/** Asks the process to end when its work is done. */
export const END_SIGNAL = "SIGUSR1";
/**
 * Asks for the same of a process that newer code has replaced. It is told to begin nothing more: a tick would
 * otherwise handle messages with its old code until its budget is used up.
 */
export const REPLACED_SIGNAL = "SIGUSR2";
/** How long background work may continue after the stack has asked the process to end. */
const SHUTDOWN_GRACE_MS = 2000;

type Handler = (
  request: Request,
  info: Deno.ServeHandlerInfo<Deno.NetAddr>,
) => Response | Promise<Response>;

if (import.meta.main) await serveFunction(Deno.args[0] ?? "");

async function serveFunction(entrypoint: string): Promise<void> {
  const backgroundWork = new Set<Promise<unknown>>();
  const requests = new Set<Promise<void>>();
  Object.assign(globalThis, {
    EdgeRuntime: {
      waitUntil<T>(promise: Promise<T>): Promise<T> {
        const work = promise
          .catch((error) => console.error("background work failed:", error))
          .finally(() => backgroundWork.delete(work));
        backgroundWork.add(work);
        return promise;
      },
    },
  });
  const unload = (reason: string) =>
    dispatchEvent(new CustomEvent("beforeunload", { detail: { reason } }));
  Deno.addSignalListener("SIGTERM", async () => {
    unload("termination");
    const grace = new Promise((resolve) => setTimeout(resolve, SHUTDOWN_GRACE_MS));
    await Promise.race([Promise.allSettled(backgroundWork), grace]);
    Deno.exit(0);
  });

  const endWhenDone = async () => {
    while (requests.size + backgroundWork.size > 0) {
      await Promise.allSettled([...requests, ...backgroundWork]);
    }
    Deno.exit(0);
  };
  Deno.addSignalListener(END_SIGNAL, endWhenDone);
  Deno.addSignalListener(REPLACED_SIGNAL, () => {
    // The reason of the hosted platform that leaves running handlers time to finish.
    unload("wall_clock");
    return endWhenDone();
  });

  const serve = Deno.serve;
  const handler = await loadHandler(entrypoint);
  serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => console.log(READY_PREFIX + port),
    onError(error) {
      console.error(error);
      return new Response("Internal Server Error", { status: 500 });
    },
  }, (request, info) => {
    const sent = info.completed.catch(() => {}).finally(() => requests.delete(sent));
    requests.add(sent);
    return handler(request, info);
  });
}

/** Imports the function; its handler is what it passes to Deno.serve or its default export's fetch. */
async function loadHandler(entrypoint: string): Promise<Handler> {
  let served: Handler | undefined;
  Object.defineProperty(Deno, "serve", {
    value: (...args: (Handler | { handler?: Handler })[]) => {
      for (const arg of args) served = typeof arg === "function" ? arg : arg.handler ?? served;
      return {
        finished: new Promise(() => {}),
        shutdown: () => Promise.resolve(),
        ref() {},
        unref() {},
      };
    },
  });
  const module: { default?: { fetch?: Handler } } = await import(entrypoint).catch(endWith);
  const handler = served ?? module.default?.fetch?.bind(module.default);
  if (handler === undefined) {
    throw new TypeError(`${entrypoint} neither exports { fetch } by default nor calls Deno.serve`);
  }
  return handler;
}

/** Ends the process with an error of the function's code, without the frames of this file. */
function endWith(error: unknown): never {
  const text = error instanceof Error && error.stack ? error.stack : Deno.inspect(error);
  console.error(text.split("\n").filter((line) => !line.includes(import.meta.url)).join("\n"));
  Deno.exit(1);
}
