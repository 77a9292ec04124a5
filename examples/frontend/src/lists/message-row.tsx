/** A message in the list. */

import type { FollowedState } from "symphony-messenger/client";
import { type ReactNode, useState } from "react";
import { useMessenger } from "symphony-messenger/react";
import { Badge } from "../badge.tsx";
import { titleOf } from "../catalog.ts";
import { ProgressBar } from "../progress-bar.tsx";
import { useNow } from "../use-now.ts";
import { describeState, describeStatus, isUnfinished } from "../words.ts";

/** A row: what it is, how far it is, and the button that cancels it. */
export function MessageRow({ message }: { readonly message: FollowedState }): ReactNode {
  const isOpen = isUnfinished(message);
  const now = useNow(message.status === "retrying" || message.status === "pending");
  const { title, attempts } = titleOf(message.type);
  return (
    <li className="row">
      <div className="row-text">
        <div className="row-title">
          <span>{title}</span>
          <span className="id">#{message.id}</span>
        </div>
        <p className="small soft number">
          <time dateTime={message.createdAt}>{timeOfDay(message.createdAt)}</time>
          {" · "}
          {describeState(message, attempts, now)}
        </p>
      </div>
      {isOpen && <ProgressBar message={message} label={`${title} #${message.id}: done share`} />}
      <Badge words={describeStatus(message)} label="State" />
      {isOpen && <Cancel message={message} label={`Cancel ${title} #${message.id}`} />}
    </li>
  );
}

function Cancel(
  { message, label }: { readonly message: FollowedState; readonly label: string },
): ReactNode {
  const messenger = useMessenger();
  const [problem, setProblem] = useState("");
  const cancel = () =>
    messenger.cancel(message.id).catch((error: Error) => setProblem(error.message));
  return (
    <>
      <button
        type="button"
        className="button compact danger row-end"
        aria-label={label}
        disabled={message.cancelling}
        onClick={cancel}
      >
        Cancel
      </button>
      {problem && <p className="problem row-problem" role="alert">{problem}</p>}
    </>
  );
}

function timeOfDay(moment: string): string {
  return new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
