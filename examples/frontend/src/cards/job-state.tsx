/** A message's state in its card: badge, bar, words, and what can be done. */

import type { FollowedState, MessageView } from "symphony-messenger/client";
import type { ReactNode } from "react";
import { Badge } from "../badge.tsx";
import { ProgressBar, shareOf } from "../progress-bar.tsx";
import { useNow } from "../use-now.ts";
import {
  describeConnection,
  describeReason,
  describeState,
  describeStatus,
  isUnfinished,
} from "../words.ts";

/** The state of a followed message. */
export function JobState({ title, message, attempts, connection, onCancel }: {
  readonly title: string;
  readonly message: FollowedState;
  readonly attempts: number;
  readonly connection: MessageView["connection"];
  readonly onCancel: () => void;
}): ReactNode {
  const now = useNow(message.status === "retrying" || message.status === "pending");
  const percent = Math.round(shareOf(message) * 100);
  return (
    <>
      <div className="job-line">
        <Badge words={describeStatus(message)} label="State" />
        <span className="id">#{message.id}</span>
      </div>
      <ProgressBar message={message} label={`${title}: done share`} />
      <div className="job-line small soft">
        <span className="job-note">{message.progress?.note ?? ""}</span>
        <span className="number">{percent} %</span>
      </div>
      {message.status === "failed"
        ? (
          <p className="dead">
            <strong>Dead letter ({message.reason}):</strong>{" "}
            {describeReason(message)}. An operator can bring it back.
          </p>
        )
        : <p className="small number">{describeState(message, attempts, now)}</p>}
      {isUnfinished(message) && (
        <div className="job-foot">
          <Badge words={describeConnection(connection)} label="Connection" />
          <button
            type="button"
            className="button compact danger"
            disabled={message.cancelling}
            onClick={onCancel}
          >
            {message.cancelling ? "Cancelling …" : "Cancel"}
          </button>
        </div>
      )}
    </>
  );
}
