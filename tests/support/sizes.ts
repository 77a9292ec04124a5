/** How large tests are: what every run affords, or, with `SYMPHONY_TEST_SIZES=full`, as large as what is promised. */

const isFull = Deno.env.get("SYMPHONY_TEST_SIZES") === "full";

/** The size of a test: `usual`, or `full` in a run of full sizes. */
export function sized<T>(usual: T, full: T): T {
  return isFull ? full : usual;
}
