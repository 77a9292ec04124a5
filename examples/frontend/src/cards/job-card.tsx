/** The card of a type of message: starts a job, and shows the last one that this tab started. */

import type { FollowedState, MessageView, MessengerError } from "symphony-messenger/client";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import type { JobType } from "../catalog.ts";
import { Icon } from "../icons.tsx";
import type { Messages } from "../messenger.gen.ts";
import { describeError, describeStatus } from "../words.ts";
import { JobState } from "./job-state.tsx";

/** The part of `useJob` that the card needs. */
export interface CardJob<Payload> {
  readonly message: FollowedState | undefined;
  readonly connection: MessageView["connection"];
  /** Whether it is being dispatched, or unfinished. */
  readonly isPending: boolean;
  readonly error: MessengerError | undefined;
  readonly dispatch: (payload: Payload) => unknown;
  readonly cancel: () => unknown;
}

/** A card. */
export function JobCard<Type extends keyof Messages>({ type, job }: {
  readonly type: JobType<Type>;
  readonly job: CardJob<Messages[Type]["payload"]>;
}): ReactNode {
  const id = useId();
  const { title, about, icon, attempts } = type;
  const { message, connection, error } = job;
  return (
    <article className="panel card" aria-labelledby={id}>
      <div className="card-head">
        <span className="tile">
          <Icon name={icon} size={20} />
        </span>
        <div>
          <h2 id={id}>{title}</h2>
          <p className="soft small">{about}</p>
        </div>
      </div>
      <JobForm type={type} job={job} />
      <div className="job">
        {message
          ? (
            <JobState
              title={title}
              message={message}
              attempts={attempts}
              connection={connection}
              onCancel={job.cancel}
            />
          )
          : <p className="job-empty soft small">No job yet</p>}
        <p className="visually-hidden" role="status">
          {message && !error ? `${title}: ${describeStatus(message).word}` : ""}
        </p>
      </div>
    </article>
  );
}

/** The field and the button that start a job. */
function JobForm<Type extends keyof Messages>({ type: { action, field }, job }: {
  readonly type: JobType<Type>;
  readonly job: CardJob<Messages[Type]["payload"]>;
}): ReactNode {
  const id = useId();
  const [value, setValue] = useState(field.initial);
  const { message, error, isPending: isBusy } = job;

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (!isBusy) job.dispatch(field.toPayload(value));
  }

  return (
    <form onSubmit={submit}>
      <div className="field">
        <label htmlFor={id}>{field.label}</label>
        <input
          id={id}
          className="input"
          type={field.type}
          value={value}
          required
          aria-invalid={error?.code === "invalid"}
          aria-describedby={`${id}-problem`}
          onChange={({ target }) => setValue(target.value)}
        />
      </div>
      {/* aria-disabled, as a disabled button would lose the focus. */}
      <button type="submit" className="button primary" aria-disabled={isBusy}>
        {isBusy ? action : message ? "Dispatch again" : error ? "Try again" : action}
      </button>
      <p id={`${id}-problem`} className="problem" role="alert">
        {error && describeError(error)}
      </p>
    </form>
  );
}
