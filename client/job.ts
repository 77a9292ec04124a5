/** A message as an object: its id, and what can be done with it. */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import type { FollowedState } from "./entry.ts";
import type { MessageStates } from "./follow.ts";
import type { MessageId, MessageRef } from "./ids.ts";
import type { Abortable } from "./request.ts";

/** A message that was dispatched, or is named by its id. `Result` is what its handler returns, where that is kept. */
export interface Job<
  Type extends string | undefined = string | undefined,
  Result = unknown,
> {
  /** Tells it from a schedule, whose ids are numbers too. */
  readonly kind: "message";
  readonly id: MessageId;
  /** Undefined if only the id is known. */
  readonly type: Type;
  /** The key that it was dispatched with; undefined if there is none, or if only the id is known. */
  readonly idempotencyKey: string | undefined;
  /** Asks for its state once. */
  status(options?: Abortable): Promise<FollowedMessage<Result>>;
  /** Yields its state, and each later state that is seen, to the end. */
  follow(options?: Abortable): MessageStates<Result>;
  /** Waits for its end and returns its last state. */
  finished(options?: Abortable): Promise<FollowedState<Result>>;
  /** Cancels it; while it runs, its handler is asked to stop. */
  cancel(options?: Abortable): Promise<FollowedMessage<Result>>;
}

/** The requests that a job makes through its client. */
export interface Jobs {
  status(message: MessageRef, options?: Abortable): Promise<FollowedMessage>;
  follow(message: MessageRef, options?: Abortable): MessageStates;
  finished(message: MessageRef, options?: Abortable): Promise<FollowedState>;
  cancel(message: MessageRef, options?: Abortable): Promise<FollowedMessage>;
}

/** Makes a job. */
export function toJob<Type extends string | undefined>(
  jobs: Jobs,
  message: Pick<Job<Type>, "kind" | "id"> & Partial<Job<Type>>,
): Job<Type> {
  const job: { [name: string]: unknown } = { ...message };
  for (const name in jobs) {
    job[name] = (options?: Abortable) => jobs[name as keyof Jobs](message.id, options);
  }
  return job as unknown as Job<Type>;
}
