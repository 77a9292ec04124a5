// The error that a person is shown as it is: one sentence that says what is wrong and what to do.

/** A failure of the local stack whose message names the problem and its remedy. */
export class StackError extends Error {
  override name = "StackError";
}
