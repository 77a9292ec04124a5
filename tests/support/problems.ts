/** The form of every refusal over HTTP: one prefix in its message, and issues without their paths. */

import { assert, assertEquals } from "@std/assert";

/** The body of a refusal. */
interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly issues?: readonly { readonly path: readonly unknown[]; readonly message: string }[];
}

/**
 * Checks that a refusal names each field once: in its message, before the first problem, and in the path of an
 * issue, but not in the issue's own words.
 * @param told what was asked, for the failure
 */
export function assertPlainRefusal(body: unknown, told: string): void {
  const { code, message, issues } = body as Refusal;
  assert(typeof code === "string" && typeof message === "string", `${told}: no code or message`);
  const shown = `${told}: ${JSON.stringify(body).slice(0, 500)}`;
  // A field that is not known may be called `is`, with which most problems begin.
  assert(!/^(?!is: )([\w.]+)(: | )\1(:| )/.test(message), `a prefix stands twice: ${shown}`);
  if (issues === undefined) return;
  assert(issues.length > 0, `no issue: ${shown}`);
  for (const { path, message: words } of issues) {
    const ends = path.map((_, index) => path.slice(index).map(String).join("."))
      .filter((end) => end !== "is");
    for (const end of ends) {
      assert(
        !words.startsWith(`${end}:`) && !words.startsWith(`${end} `),
        `its path again: ${shown}`,
      );
    }
    // A word and a colon are a field, which has its place in the path.
    assert(!/^[A-Za-z_][\w.]*: /.test(words), `a path in the words: ${shown}`);
  }
  const [{ path, message: words } = { path: [], message: "" }] = issues;
  assertEquals(
    message,
    `${path.length > 0 ? `${path.map(String).join(".")}: ` : ""}${words}`,
    shown,
  );
}
