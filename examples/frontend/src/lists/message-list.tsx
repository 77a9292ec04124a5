/** All messages of the user, whatever tab or schedule dispatched them; the newest first. */

import type { FollowedMessage } from "symphony-messenger/client";
import { type ReactNode, useId } from "react";
import type { UseMessagesResult } from "symphony-messenger/react";
import { describeError, describeStatus } from "../words.ts";
import { MessageRow } from "./message-row.tsx";

/** A state that the list can be of. */
export type Status = FollowedMessage["status"];

const STATUSES: readonly Status[] = [
  "pending",
  "processing",
  "retrying",
  "handled",
  "failed",
  "cancelled",
];
/** The list; `status` is the one state that it shows, if it is not all. */
export function MessageList({ list, status, onStatus }: {
  readonly list: UseMessagesResult;
  readonly status: Status | undefined;
  readonly onStatus: (status: Status | undefined) => void;
}): ReactNode {
  const id = useId();
  const { messages, isLoading, error, hasMore, refresh, loadMore } = list;

  return (
    <section className="panel" aria-labelledby={id}>
      <div className="list-head">
        <h2 id={id}>My messages</h2>
        <div className="list-tools">
          <select
            className="input compact"
            aria-label="State"
            value={status ?? ""}
            onChange={({ target }) => onStatus((target.value || undefined) as Status | undefined)}
          >
            <option value="">All states</option>
            {STATUSES.map((status) => <option key={status} value={status}>{wordOf(status)}
            </option>)}
          </select>
          <button type="button" className="button compact" onClick={refresh}>Refresh</button>
        </div>
      </div>
      {error && <p className="problem" role="alert">{describeError(error)}</p>}
      {messages.length > 0
        ? (
          <ul aria-busy={isLoading}>
            {messages.map((message) => <MessageRow key={message.id} message={message} />)}
          </ul>
        )
        : <p className="empty">{isLoading ? "Loading …" : emptyText(status)}</p>}
      {hasMore && (
        <div className="more">
          <button type="button" className="button plain compact" onClick={loadMore}>
            Show older ones
          </button>
        </div>
      )}
    </section>
  );
}

function emptyText(status: Status | undefined): string {
  return status ? "None in this state" : "None yet: start a job above";
}

function wordOf(status: Status): string {
  return describeStatus({ status, cancelling: false }).word;
}
