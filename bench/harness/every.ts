/** Calls a function again and again, until it is disposed. */

/** Calls `call` every `ms` milliseconds, never twice at once; errors that it throws are printed. */
export function every(ms: number, call: () => Promise<void>): Disposable {
  let isLooking = false;
  const timer = setInterval(async () => {
    if (isLooking) return;
    isLooking = true;
    await call().catch((error) => console.error(error));
    isLooking = false;
  }, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
