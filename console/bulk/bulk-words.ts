/** The words for changes of many messages. */

import { formatNumber } from "../components/relative-time.ts";
import type { BulkProgress, BulkVerb } from "./bulk-action.ts";

interface VerbWords {
  readonly verb: string;
  readonly done: string;
  /** The thing that is changed, in the singular. */
  readonly noun: string;
}

/** A verb as it stands on a button, and as what was done to what. */
export const VERBS: Readonly<Record<BulkVerb, VerbWords>> = {
  redrive: { verb: "Redrive", done: "redriven", noun: "message" },
  remove: { verb: "Remove", done: "removed", noun: "message" },
  cancel: { verb: "Cancel", done: "cancelled", noun: "message" },
  run: { verb: "Run now", done: "due now", noun: "message" },
  resend: { verb: "Send again", done: "sent again", noun: "attempt" },
  cancelOutbox: { verb: "Cancel", done: "cancelled", noun: "message" },
  runOutbox: { verb: "Publish now", done: "due now", noun: "message" },
  resendOutbox: { verb: "Send again", done: "sent again", noun: "message" },
};

const STATES: Readonly<Record<BulkProgress["state"], string>> = {
  working: "Working",
  stopping: "Stops after this step",
  interrupted: "Interrupted by a reload",
  stopped: "Stopped",
  failed: "Failed",
  ended: "Done",
};

/** How far a change has come: `12,000 of 24,000 redriven, 3 told to stop`. */
export function describeProgress(progress: BulkProgress): string {
  const { action, total, done, running, missing, isShort } = progress;
  const known = `${formatNumber(total.count)}${total.capped ? "+" : ""}`;
  return [
    `${isShort ? "at least " : ""}${formatNumber(done)} of ${known} ${VERBS[action.verb].done}`,
    running > 0 && `${formatNumber(running)} told to stop`,
    missing > 0 && `${formatNumber(missing)} were gone`,
  ].filter(Boolean).join(", ");
}

/** The state in a word or two. */
export const describeState = ({ state }: BulkProgress): string => STATES[state];
