/** A way to a stack's Data API that can be in trouble: it responds in the stack's place, or closes the connection. */

import type { TestStack } from "./stack.ts";

/** A fault of the API: makes the response to a call, or throws to close its connection. */
export type Trouble = () => Response;

/** A port that leads to a stack. */
export interface TroubledApi extends AsyncDisposable {
  readonly url: string;
  /** From now on every call meets this trouble, and so do those under way; null: calls reach the stack again. */
  meet(trouble: Trouble | null): void;
  /** The functions whose calls have met the present trouble. */
  readonly met: ReadonlySet<string>;
}

/** A response of PostgREST with one of its codes. */
export function postgrestError(status: number, code: string, message: string): Response {
  return Response.json({ code, message, details: null, hint: null }, { status });
}

/** Opens the port. */
export function troubledApi(stack: TestStack): TroubledApi {
  const met = new Set<string>();
  let trouble: Trouble | null = null;
  let begins = Promise.withResolvers<void>();
  const closed = new AbortController();
  const server = Deno.serve(
    {
      ...{ hostname: "127.0.0.1", port: 0, signal: closed.signal, onListen: () => {} },
      // A trouble that throws ends the connection without an answer.
      onError: () => cutOff(),
    },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.delete("host");
      const init = { method: request.method, headers, body: await request.text() };
      const response = trouble
        ? undefined
        : await Promise.race([begins.promise, fetch(stack.url + pathname + search, init)]);
      if (!trouble && response) return response;
      met.add(pathname.split("/").at(-1) ?? "");
      return trouble?.() ?? cutOff();
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    met,
    meet(next) {
      met.clear();
      trouble = next;
      begins.resolve();
      begins = Promise.withResolvers();
    },
    async [Symbol.asyncDispose]() {
      closed.abort();
      await server.finished;
    },
  };
}

/** A response whose body breaks off: the client sees a connection that was closed. */
function cutOff(): Response {
  return new Response(
    new ReadableStream({
      start: (controller) => controller.error(new Error("closed")),
    }),
    { headers: { "content-type": "application/json" } },
  );
}
