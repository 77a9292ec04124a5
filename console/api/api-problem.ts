/** Failures between the page and the management API. */

/** One field that the API refuses. */
export interface Issue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A request that failed: the API's words, or why there was no answer. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";

  /**
   * @param status of the answer; 0: there was none
   * @param code for programs, such as `not_found`; `unreachable` and `timeout` where there was no answer
   * @param issues the fields that are wrong
   */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly issues: readonly Issue[] = [],
  ) {
    super(message);
  }

  /** Whether the API says that there is no such object; a gateway without the function has words of its own. */
  get isNotFound(): boolean {
    return this.status === 404 && this.code === "not_found";
  }

  /** Whether the operator has to sign in again before anything works. */
  get needsSignIn(): boolean {
    return this.status === 401;
  }
}

/** An answer's body as a problem; a gateway has words of its own. */
export function problemOf(status: number, body: unknown): ApiProblem {
  const { code, message, issues } = (typeof body === "object" && body !== null ? body : {}) as {
    code?: unknown;
    message?: unknown;
    issues?: unknown;
  };
  return new ApiProblem(
    status,
    typeof code === "string" ? code : "refused",
    // The words for a request without a session are those of a library.
    status !== 401 && typeof message === "string" ? known(message) : describeStatus(status),
    Array.isArray(issues) ? issues.filter(isIssue) : [],
  );
}

const OLDER = "The functions of this project are of an older release, which does not have this.";

/** Functions of an older release know no path that came later, and say so in their words. */
function known(message: string): string {
  return message.startsWith("There is nothing at") ? OLDER : message;
}

/**
 * A refusal as that of an older release, if it took the last part of a later path for an id.
 * @param url of the answer, such as `.../failed-messages/groups`
 */
export function ofRelease(problem: ApiProblem, url: string): ApiProblem {
  const isId = problem.status === 400 && problem.issues.length === 1 &&
    problem.issues[0]?.path[0] === "id";
  if (!isId || !/\/(groups|upcoming)(\?|$)/.test(url)) return problem;
  return new ApiProblem(404, "not_found", OLDER);
}

function isIssue(value: unknown): value is Issue {
  return typeof value === "object" && value !== null && "message" in value && "path" in value &&
    Array.isArray(value.path);
}

function describeStatus(status: number): string {
  if (status === 401) return "Sign in to see this.";
  if (status === 404) return "HTTP 404: is the function messenger deployed?";
  if (status >= 500) return `HTTP ${status}: the function messenger does not work just now.`;
  return `HTTP ${status}`;
}

/** Any thrown value as a problem. */
export function toProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return new ApiProblem(0, "timeout", "There was no answer in time.");
  }
  if (error instanceof TypeError) {
    return new ApiProblem(0, "unreachable", "The project cannot be reached.");
  }
  return new ApiProblem(0, "failed", error instanceof Error ? error.message : String(error));
}
