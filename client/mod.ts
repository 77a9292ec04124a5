/** A typed client for browsers and servers, over supabase-js. It imports nothing at run time. */

export * from "./client.ts";
export {
  ConflictError,
  ForbiddenError,
  InvalidRequestError,
  type Issue,
  MessengerError,
  NotFoundError,
  RateLimitedError,
  UnauthorizedError,
  UnavailableError,
} from "./errors.ts";
export type { FollowedMessage, FollowOptions } from "./follow.ts";
export * from "./message.ts";
