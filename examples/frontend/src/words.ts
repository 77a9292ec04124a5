/** The page's words about messages, as pure functions of state and time. */

import type { FollowedState, MessageView, MessengerError } from "symphony-messenger/client";

/** How a state is coloured. */
export type Tone = "quiet" | "busy" | "good" | "warn" | "bad";

/** The sign beside a word, so that no state is told by colour alone. */
export type Sign = "clock" | "turn" | "again" | "check" | "cross" | "stop";

/** A state in words. */
export interface Words {
  readonly word: string;
  readonly tone: Tone;
  readonly sign: Sign;
}

const STATUS: Readonly<Record<FollowedState["status"], Words>> = {
  pending: { word: "Waiting", tone: "quiet", sign: "clock" },
  processing: { word: "Running", tone: "busy", sign: "turn" },
  retrying: { word: "Retrying", tone: "warn", sign: "again" },
  handled: { word: "Done", tone: "good", sign: "check" },
  failed: { word: "Dead letter", tone: "bad", sign: "cross" },
  cancelled: { word: "Cancelled", tone: "quiet", sign: "stop" },
  not_remembered: { word: "Finished", tone: "good", sign: "check" },
};

/** The word, colour and sign of a message's state. */
export function describeStatus(
  { status, cancelling }: Pick<FollowedState, "status" | "cancelling">,
): Words {
  return cancelling && status === "processing"
    ? { word: "Cancelling", tone: "warn", sign: "stop" }
    : STATUS[status];
}

/** Whether a message may still change. */
export function isUnfinished({ status }: FollowedState): boolean {
  return status === "pending" || status === "processing" || status === "retrying";
}

/**
 * A sentence about how far a message is.
 * @param attempts how often its type is tried at most; undefined if that is unknown
 * @param now in ms since 1970
 */
export function describeState(
  message: FollowedState,
  attempts: number | undefined,
  now: number,
): string {
  const { status, attempt, availableAt, createdAt, finishedAt } = message;
  const of = attempts === undefined ? "" : ` of ${attempts}`;
  switch (status) {
    case "pending": {
      const seconds = secondsUntil(availableAt, now);
      return seconds > 0 ? `Starts in ${describeSeconds(seconds)}` : "Waits for a worker";
    }
    case "processing":
      return `Attempt ${attempt}${of}`;
    case "retrying": {
      const next = `attempt ${attempt + 1}${of}`;
      const seconds = secondsUntil(availableAt, now);
      return seconds > 0
        ? `Tries again in ${describeSeconds(seconds)}, ${next}`
        : `Tries again now, ${next}`;
    }
    case "handled":
      return `Took ${describeSeconds(secondsBetween(createdAt, finishedAt))}, ${count(attempt)}`;
    case "failed":
      return capitalize(describeReason(message));
    case "cancelled":
      return attempt === 0 ? "Cancelled before it started" : `Cancelled at attempt ${attempt}`;
    case "not_remembered":
      return "Its type keeps no record of handled messages";
  }
}

const REASONS: Readonly<Record<NonNullable<FollowedState["reason"]>, string>> = {
  exhausted: "no retry is left",
  unrecoverable: "a retry does not mend its failure",
  crashed: "it ended its worker",
  invalid: "its payload does not fit any more",
  unknown_type: "no handler knows its type",
  expired: "it waited longer than it may",
  cancelled: "it was cancelled",
  interrupted: "it was interrupted too often",
};

/** Why a message is a dead letter, in words. */
export function describeReason({ reason, attempt }: FollowedState): string {
  return `${reason ? REASONS[reason] : "it failed"} after ${count(attempt)}`;
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function count(attempts: number): string {
  return attempts === 1 ? "1 attempt" : `${attempts} attempts`;
}

/** Whole seconds until a moment, rounded up; 0 if it is past or there is none. */
export function secondsUntil(moment: string | null, now: number): number {
  return moment === null ? 0 : Math.max(0, Math.ceil((Date.parse(moment) - now) / 1000));
}

function secondsBetween(from: string, to: string | null): number {
  return to === null ? 0 : Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
}

/** Seconds as people say them: `45 s`, `2 min`, `2 min 5 s`, `3 h`. */
export function describeSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return joinUnits(Math.floor(minutes / 60), "h", minutes % 60, "min");
  return joinUnits(minutes, "min", seconds % 60, "s");
}

function joinUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** The header's connection: `ready` while nothing is followed. */
export type PageConnection = MessageView["connection"] | "ready";

const CONNECTIONS: Readonly<Record<PageConnection, Words>> = {
  ready: { word: "Ready", tone: "good", sign: "check" },
  connecting: { word: "Connecting", tone: "quiet", sign: "turn" },
  live: { word: "Live", tone: "good", sign: "check" },
  polling: { word: "Polling", tone: "busy", sign: "again" },
  offline: { word: "Offline", tone: "warn", sign: "cross" },
  signed_out: { word: "Signed out", tone: "quiet", sign: "stop" },
};

/** The word, colour and sign of a connection. */
export function describeConnection(connection: PageConnection): Words {
  return CONNECTIONS[connection];
}

/** A refusal or failure in words for the person who caused it. */
export function describeError(error: MessengerError): string {
  switch (error.code) {
    case "signed_out":
      return "You are signed out. Sign in and try again.";
    case "rate_limited":
      return `Too many at once. Try again in ${
        describeSeconds(Math.ceil((error.retryAfterMs ?? 1000) / 1000))
      }.`;
    case "offline":
      return "You are offline. Try again later: the same message is never written twice.";
    case "invalid":
      return error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ") ||
        error.message;
    default:
      return error.message;
  }
}
