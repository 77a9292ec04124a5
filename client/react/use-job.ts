/** `useJob`: dispatches a message and follows it to its end, also over a reload. */

import { nameOf } from "../dispatch.ts";
import type { MessageView } from "../entry.ts";
import type { MessengerError } from "../errors.ts";
import type { Job } from "../job.ts";
import { useOwn, useStore } from "./context.ts";
import type { IntentOptions } from "./intent.ts";
import { isOver } from "./query-options.ts";
import type { KnownMessage, PayloadOf, ResultOf } from "./register.ts";
import { useIntent } from "./use-dispatch.ts";
import { useMessage } from "./use-message.ts";

/** Options of {@link useJob}. */
export interface UseJobOptions {
  /**
   * The name in sessionStorage under which a reload finds the job; default: the message's name. Two jobs of
   * one type that are on the page at once need one each, such as the id of the thing that they work on.
   */
  readonly storageKey?: string;
}

/** Result of {@link useJob}. */
export interface UseJobResult<Payload, Result = unknown> extends MessageView<Result> {
  /** Dispatches the message, as that of `useDispatch` does, and follows it instead of the one before. */
  readonly dispatch: (payload: Payload, options?: IntentOptions) => Promise<Job>;
  /** The message that is followed. */
  readonly job: Job | undefined;
  /** Whether it is being dispatched, or has not reached its end. */
  readonly isPending: boolean;
  /** Why intent, following or cancelling failed. */
  readonly error: MessengerError | undefined;
  /** Cancels the message. The promise may be ignored: a failure is in `error` too. */
  readonly cancel: () => Promise<void>;
  /** Forgets the message, which continues all the same. */
  readonly reset: () => void;
}

/**
 * Dispatches a message and follows it to its end. A reload continues; signing out forgets it.
 *
 * ```tsx
 * const { dispatch, message, isPending, cancel } = useJob("RenderVideo", { storageKey: video });
 * if (message?.status === "retrying") return <Countdown to={message.availableAt} />;
 * ```
 *
 * @param message a registered name, or the result of `message`
 */
export function useJob<const Message extends KnownMessage>(
  message: Message,
  { storageKey = nameOf(message) }: UseJobOptions = {},
): UseJobResult<PayloadOf<Message>, ResultOf<Message>> {
  const [intent, sent] = useIntent(message, storageKey);
  const stored = useOwn(
    ({ jobs }) => ({
      subscribe: jobs.subscribe,
      get: () => jobs.get(storageKey),
      reset() {
        intent.reset();
        jobs.set(storageKey, undefined);
      },
    }),
    intent,
    storageKey,
  );
  const storedId = useStore(stored, () => undefined);
  const id = sent.isPending ? undefined : storedId;
  const view = useMessage(id) as MessageView<ResultOf<Message>>;
  // After a reload the client does not know that it has dispatched the message: it is done and not kept.
  const isGone = view.error?.code === "not_found";
  const { job, cancel } = useOwn(
    ({ client }) => {
      const job = id === undefined || isGone ? undefined : client.job(id);
      const cancel = () => {
        const promise = Promise.resolve(job?.cancel()).then(() => intent.fail(undefined));
        promise.catch(intent.fail);
        return promise;
      };
      return { job, cancel };
    },
    id,
    isGone,
    intent,
  );
  const error = isGone ? undefined : view.error;
  return {
    ...view,
    dispatch: intent.dispatch,
    job: sent.job?.id === id ? sent.job : job,
    isPending: sent.isPending || !!job && !error && !isOver(view.message),
    error: sent.error ?? error,
    cancel,
    reset: stored.reset,
  };
}
