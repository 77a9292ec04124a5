/**
 * Problems that the source checks still accept. Each list may only become shorter: an entry that is no
 * longer needed fails the check until it is removed.
 */

/** Breaches of the structure in TypeScript: `path`, `path: function`, or the paths of one basename. */
export const STRUCTURE_EXCEPTIONS: readonly string[] = [];

/** SQL functions that are too long. */
export const LONG_SQL_FUNCTIONS: readonly string[] = [];

/**
 * Takes the exceptions out of what was found.
 *
 * @returns the texts of the other problems, and a text for each exception that is no longer needed
 */
export function withoutExceptions(
  problems: readonly { readonly subject: string; readonly text: string }[],
  exceptions: readonly string[],
): string[] {
  const subjects = new Set(problems.map(({ subject }) => subject));
  return [
    ...problems.filter(({ subject }) => !exceptions.includes(subject)).map(({ text }) => text),
    ...exceptions.filter((exception) => !subjects.has(exception)).map((exception) =>
      `local/source_checks/exceptions.ts: "${exception}" needs no exception any more: remove it`
    ),
  ];
}
