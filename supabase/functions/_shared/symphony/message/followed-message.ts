/**
 * The state of a message as the user who dispatched it sees it: without its payload and the texts of its errors.
 * The function `dispatch` sends it, and clients receive it; neither needs types of the other.
 */

import type { DeadReason } from "./dead-reason.ts";
import type { StepKind } from "./step-kind.ts";

/** The state of a message, whose handler returns `Result`. */
export interface FollowedMessage<Result = unknown> {
  /** Tells it from a schedule, whose ids are numbers too. */
  readonly kind: "message";
  readonly id: string;
  readonly type: string;
  /**
   * `pending`: waits for its first attempt, or sleeps or waits between its steps. `retrying`: waits for another
   * attempt. `failed` and `cancelled`: it is a dead letter, unless it is redriven. `handled`: it is done.
   */
  readonly status: "pending" | "processing" | "retrying" | "handled" | "failed" | "cancelled";
  /** Whether its user asked to cancel it while it runs; its handler's signal is aborted. */
  readonly cancelling: boolean;
  /** Why it became a dead letter; null if it did not. */
  readonly reason: DeadReason | null;
  /** How often it has been started. */
  readonly attempt: number;
  /** Moments are ISO 8601. */
  readonly createdAt: string;
  /** When it is or was due; null once it is done. */
  readonly availableAt: string | null;
  /** When it was handled or became a dead letter. */
  readonly finishedAt: string | null;
  /** The handler's last report; null if there is none. */
  readonly progress: FollowedProgress | null;
  /**
   * The value that its handler returned, if it is handled and its definition keeps the result; else it is missing. It
   * is null in a live update where it is large: the client then asks for it.
   */
  readonly result?: Result | null;
  /** Its durable steps; missing if it has none, and once it is handled. */
  readonly steps?: FollowedSteps;
}

/** A handler's report. */
export interface FollowedProgress {
  /** The done share, from 0 to 1. */
  readonly value: number;
  readonly note: string | null;
  readonly at: string;
}

/** Durable steps of a message: names, never results. */
export interface FollowedSteps {
  /**
   * The step that runs, told once it has run for about a second, or the sleep or wait that the message is parked in;
   * null between steps, and while it waits for a retry. Of steps that run side by side, the one that began first.
   */
  readonly current: {
    /** Name of the step, or key of the event. */
    readonly name: string;
    /**
     * `step`, `effect`: a function runs. `sleep`: until a moment. `wait`: for an event. `all`: for child messages.
     */
    readonly kind: StepKind;
    /** When a sleep or wait ends at the latest; null if nothing bounds it. */
    readonly until: string | null;
  } | null;
  /** Names of the finished steps, the last 100, in their order. */
  readonly done: readonly string[];
  /** How many steps are finished. */
  readonly number: number;
}

/** States of several messages: answer of `POST /dispatch/status`. */
export interface FollowedMessages {
  readonly messages: readonly FollowedMessage[];
  /** Ids that are unknown, another user's, or of handled messages that are not kept. */
  readonly missing: readonly string[];
}

/** A page of a user's messages: answer of `GET /dispatch/messages`. The newest come first. */
export interface OwnMessages {
  readonly messages: readonly FollowedMessage[];
  /** The cursor of the next page; null on the last page. */
  readonly next: string | null;
}
