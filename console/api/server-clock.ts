/** The server's clock: that of the operator's machine may be wrong by hours, and "2h" means two hours there. */

/** How far the server's clock is ahead of the browser's, in ms. */
let aheadMs = 0;

/**
 * Learns the server's time from an answer.
 * @param now the time in the answer, ISO 8601; others tell nothing
 * @param askedAt when it was asked for, in ms since 1970 by the browser's clock
 * @param answeredAt when the answer came
 */
export function learnTime(now: string | undefined, askedAt: number, answeredAt: number): void {
  const told = Date.parse(now ?? "");
  // The answer was made somewhere between the two.
  if (!Number.isNaN(told)) aheadMs = told - (askedAt + answeredAt) / 2;
}

/** Now by the server's clock, in ms since 1970; by the browser's until an answer has told it. */
export const serverNow = (): number => Date.now() + aheadMs;
