/** How a command ends: exit codes by kind, and errors as people and programs read them. */

import { visible } from "./visible.ts";

/** Exit codes; docs/management.md lists them. */
export const EXIT = {
  ok: 0,
  /** Not healthy, nothing was done, or what was asked for is not there. */
  nothing: 1,
  /** The command line, or a value on it, is wrong. */
  usage: 2,
  /** The project cannot be reached, or its database does not answer. */
  connection: 3,
  /** The key is refused. */
  refused: 4,
  /** It does not go with the present state, as with a name that is taken. */
  conflict: 5,
  /** It is done, and stdout does not take the result, as on a full disk. */
  output: 6,
  /** Ctrl-C; shells know this number. */
  interrupted: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = typeof EXIT[keyof typeof EXIT];

/** Ends the command with an exit code and a message. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";

  /**
   * @param code for programs, such as `not_found`
   * @param details further fields for programs
   */
  constructor(
    readonly exitCode: ExitCode,
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Something on the command line is wrong. */
export class UsageError extends CommandError {
  override readonly name = "UsageError";

  constructor(message: string) {
    super(EXIT.usage, "usage", message);
  }
}

/** The API refused, or did not answer. */
export class ApiError extends CommandError {
  override readonly name = "ApiError";

  /** @param status of the answer; 0 where there was none */
  constructor(
    readonly status: number,
    code: string,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(
      exitCodeOf(status),
      code,
      message,
      { ...(status > 0 && { status }), ...details },
      options,
    );
  }
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.refused;
  if (status === 404) return EXIT.nothing;
  if (status === 409) return EXIT.conflict;
  return status >= 400 && status < 500 && status !== 429 ? EXIT.usage : EXIT.connection;
}

/** The error as it goes to stderr. */
export function describeFailure(error: CommandError, json: boolean): string {
  const { code, message, details } = error;
  return visible(
    json ? JSON.stringify({ error: { code, message, ...details } }) : `error: ${message}`,
  );
}
