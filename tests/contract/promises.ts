/** How the suites of the contract name and run their tests. */

/**
 * Registers tests whose names begin with the transport's, each on one that is opened for it.
 * @param open makes what a test works with
 */
export function promises<UnderTest extends { close(): Promise<void> }>(
  name: string,
  open: () => Promise<UnderTest>,
): (sentence: string, test: (t: UnderTest) => Promise<void>) => void {
  return (sentence, test) =>
    Deno.test(`${name}: ${sentence}`, async () => {
      const underTest = await open();
      try {
        await test(underTest);
      } finally {
        await underTest.close();
      }
    });
}
