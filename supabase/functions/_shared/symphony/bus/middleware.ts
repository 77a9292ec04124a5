/** Middleware: sees every message at its dispatch, and runs around its handlers. */

import { checkPlainFunction } from "../runtime/checks.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import { MiddlewareError } from "../message/errors.ts";
import { readProperty, showValue } from "../runtime/inspect.ts";
import { isOptions } from "../runtime/option-names.ts";
import type { HandlerContext } from "../message/handler.ts";

/** Middleware: an object or a class instance. Both methods are optional. */
export interface Middleware {
  /** Called at a dispatch. It may change the message, or throw to refuse it. Its result is checked like a dispatch. */
  dispatch?(message: OutgoingMessage): OutgoingMessage | Promise<OutgoingMessage>;
  /**
   * Runs around the handlers. If it throws, the attempt fails. In a batch it runs around each message, and
   * `next` resolves when the batch handler is done.
   * @param next runs the handlers. Call it once and await it, or the attempt fails. If middleware does not
   * call it, no handler runs and the message counts as handled; a log line says so
   */
  handle?(ctx: HandlerContext, next: () => Promise<void>): Promise<void> | void;
}

/** Checks `middleware`. @throws RangeError that names the wrong entry and method */
export function checkMiddlewares(middleware: readonly Middleware[] = []): Middleware[] {
  if (Array.isArray(middleware)) return middleware.map(checkMiddleware);
  throw new RangeError(`middleware: has to be an array; got ${showValue(middleware)}`);
}

/**
 * Checks one entry of `middleware`.
 * @throws RangeError that names the wrong method
 */
function checkMiddleware(middleware: Middleware, index: number): Middleware {
  const field = `middleware: ${index + 1}`;
  if (!isOptions(middleware)) {
    throw new RangeError(`${field}: has to be an object; got ${showValue(middleware)}`);
  }
  for (const name of ["dispatch", "handle"] as const) {
    const method: unknown = middleware[name];
    if (method !== undefined && typeof method !== "function") {
      throw new RangeError(`${field}: ${name}: has to be a function; got ${showValue(method)}`);
    }
    checkPlainFunction(method, `${field}: ${name}`);
  }
  return middleware;
}

/**
 * Runs handlers inside middleware; the first one is the outermost.
 * @throws MiddlewareError if middleware calls `next` twice, or does not wait for it
 */
export async function aroundHandlers(
  middleware: readonly Middleware[],
  ctx: HandlerContext,
  handlers: () => Promise<void>,
): Promise<void> {
  const [first, ...others] = middleware;
  if (!first) return await handlers();
  const next = new Next(() => aroundHandlers(others, ctx, handlers));
  try {
    await first.handle?.(ctx, next.call);
  } catch (error) {
    // The handlers may still run: the attempt lasts until they end.
    await next.close();
    throw error;
  }
  await next.checkUse();
  if (!next.wasCalled) {
    // A module namespace and a result of Object.create(null) have no constructor.
    const name = readProperty(readProperty(first, "constructor"), "name");
    ctx.log.info("middleware_left_out_handlers", { middleware: name ?? "Object" });
  }
}

/** The `next` of one middleware, and a check of how the middleware uses it. */
class Next {
  wasCalled = false;
  #isClosed = false;
  #isSettled = false;
  #running: Promise<void> | undefined;
  #misuse: MiddlewareError | undefined;

  constructor(private readonly run: () => Promise<void>) {}

  readonly call = (): Promise<void> => {
    if (this.wasCalled || this.#isClosed) {
      const problem = this.#isClosed ? "its middleware has ended" : "was called before";
      this.#misuse = new MiddlewareError(`next: ${problem}; call it once and wait for it`);
      // The misuse fails the attempt, so a promise that no code waits for is not reported as unhandled.
      // Nothing is thrown here: a call in a timer would end the process.
      const refused = Promise.reject(this.#misuse);
      refused.catch(() => {});
      return refused;
    }
    this.wasCalled = true;
    const running = this.#running = this.run();
    const settle = () => void (this.#isSettled = true);
    // Middleware that does not await the promise leaves its rejection unhandled.
    running.then(settle, settle);
    return running;
  };

  /** Called when the middleware has failed: refuses later calls, and waits for handlers that still run. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([this.#running]);
  }

  /**
   * Called when the middleware has returned.
   * @throws the handlers' error if the middleware did not wait for them, or else MiddlewareError for misuse
   */
  async checkUse(): Promise<void> {
    this.#isClosed = true;
    if (this.#running && !this.#isSettled) {
      await this.#running;
      throw new MiddlewareError("next: its middleware ended before it; wait for it: await next()");
    }
    if (this.#misuse) throw this.#misuse;
  }
}
