/** Tests of a file that share what is dear to start: a stack, a page, a browser. */

/**
 * Opens something before a file's first test and ends it after the last one.
 * @param what its name, for an error
 * @param open starts it, and leaves to `parts` what is to be ended, the latest first
 * @returns registers a test, which gets it
 */
export function testsSharing<Shared>(
  what: string,
  open: (parts: AsyncDisposableStack) => Promise<Shared>,
): (name: string, body: (shared: Shared) => Promise<void>) => void {
  const parts = new AsyncDisposableStack();
  let shared: Shared | undefined;
  Deno.test.beforeAll(async () => void (shared = await open(parts)));
  Deno.test.afterAll(() => parts.disposeAsync());
  return (name, body) =>
    Deno.test({
      name,
      // It lives on from test to test.
      sanitizeOps: false,
      sanitizeResources: false,
      fn: async () => {
        if (!shared) throw new Error(`${what} did not start`);
        await body(shared);
      },
    });
}
