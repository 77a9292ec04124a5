/** How far a message is, as a bar. */

import type { FollowedState } from "symphony-messenger/client";
import type { ReactNode } from "react";
import { describeStatus } from "./words.ts";

/** The share that is done, from 0 to 1: what the handler reported, or all of it once it is handled. */
export function shareOf({ status, progress }: FollowedState): number {
  return status === "handled" || status === "not_remembered" ? 1 : progress?.value ?? 0;
}

/** A message's bar, in the colour of its state. */
export function ProgressBar(
  { message, label }: { readonly message: FollowedState; readonly label: string },
): ReactNode {
  const { tone } = describeStatus(message);
  return (
    <progress className={`bar tone-${tone}`} max={1} value={shareOf(message)} aria-label={label} />
  );
}
