/** Middleware: sees every message on its way in, and stands around every message's handling. */

import { checkNoGenerator } from "../runtime/checks.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import { MiddlewareError } from "../message/errors.ts";
import { readProperty, showValue } from "../runtime/inspect.ts";
import type { HandlerContext } from "../message/handler.ts";

/** An object with these methods, or one of a class. Both may be left out. */
export interface Middleware {
  /** May change the message, or throw to refuse it. What it returns is checked as a dispatch is. */
  dispatch?(message: OutgoingMessage): OutgoingMessage | Promise<OutgoingMessage>;
  /**
   * Runs around the handlers; what it throws counts as the attempt's failure. Where messages are handled
   * in batches it runs around each, and `next` waits until all of them are there.
   * @param next runs the handlers: to be called once and to be waited for, or the attempt has failed.
   * Middleware that does not call it leaves the handlers out: the message is handled, and a log line says
   * so
   */
  handle?(ctx: HandlerContext, next: () => Promise<void>): Promise<void> | void;
}

/**
 * Checks what is given as middleware.
 * @throws RangeError that names what is wrong
 */
export function checkMiddleware(middleware: Middleware, index: number): Middleware {
  const field = `middleware: ${index + 1}`;
  if (typeof middleware !== "object" || middleware === null) {
    throw new RangeError(`${field}: has to be an object; got ${showValue(middleware)}`);
  }
  for (const name of ["dispatch", "handle"] as const) {
    const method: unknown = middleware[name];
    if (method !== undefined && typeof method !== "function") {
      throw new RangeError(`${field}: ${name}: has to be a function; got ${showValue(method)}`);
    }
    checkNoGenerator(method, `${field}: ${name}`);
  }
  return middleware;
}

/**
 * Runs handlers within middleware, the first one outermost.
 * @throws MiddlewareError where middleware calls `next` twice, or does not wait for it
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
    // The handlers may still work: the attempt lasts as long as they do.
    await next.close();
    throw error;
  }
  await next.checkUse();
  if (!next.wasCalled) {
    // A module's namespace, and what Object.create(null) makes, have no constructor.
    const name = readProperty(readProperty(first, "constructor"), "name");
    ctx.log.info("middleware_left_out_handlers", { middleware: name ?? "Object" });
  }
}

/** What middleware is given as `next`, and whether it keeps to what that is for. */
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
      throw this.#misuse = new MiddlewareError(`next: ${problem}; call it once and wait for it`);
    }
    this.wasCalled = true;
    const running = this.#running = this.run();
    const settle = () => void (this.#isSettled = true);
    // Middleware that does not wait for it does not catch what it throws, either.
    running.then(settle, settle);
    return running;
  };

  /** The middleware has ended: it can no longer run the handlers. Waits for those that run. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([this.#running]);
  }

  /**
   * The middleware has ended without an error.
   * @throws what the handlers throw that it did not wait for; or else MiddlewareError
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
