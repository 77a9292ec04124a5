/** How the suites of the contract name and run their tests, and which of them a transport is asked for. */

import type { Capabilities } from "../../supabase/functions/_shared/symphony/index.ts";

/** Whether a transport promises these capabilities. @param promised undefined if it is asked for everything */
export function isPromised(
  promised: Capabilities | undefined,
  needs: Partial<Capabilities>,
): boolean {
  return !promised ||
    Object.entries(needs).every(([name, value]) => Reflect.get(promised, name) === value);
}

/**
 * Registers tests whose names begin with the transport's, each on one that is opened for it.
 * @param open makes what a test works with
 * @param promised the transport's capabilities: a test that needs others is not registered; default: all are
 */
export function promises<UnderTest extends { close(): Promise<void> }>(
  name: string,
  open: () => Promise<UnderTest>,
  promised?: Capabilities,
): (
  sentence: string,
  test: (t: UnderTest) => Promise<void>,
  needs?: Partial<Capabilities>,
) => void {
  return (sentence, test, needs = {}) => {
    if (!isPromised(promised, needs)) return;
    Deno.test(`${name}: ${sentence}`, async () => {
      const underTest = await open();
      try {
        await test(underTest);
      } finally {
        await underTest.close();
      }
    });
  };
}
