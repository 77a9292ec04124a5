/** `useDispatch`: dispatches a message from a component. */

import { nameOf } from "../dispatch.ts";
import type { Job } from "../job.ts";
import { useOwn, useStore } from "./context.ts";
import { createIntent, type DispatchState, type Intent, type IntentOptions } from "./intent.ts";
import type { KnownMessage, PayloadOf } from "./register.ts";

/** Result of {@link useDispatch}. */
export interface UseDispatchResult<Payload> extends DispatchState {
  /**
   * Dispatches the message. The promise may be ignored: a failure is in `error` too, and is no unhandled
   * rejection.
   * @throws MessengerError or the signal's reason
   */
  readonly dispatch: (payload: Payload, options?: IntentOptions) => Promise<Job>;
  /** Forgets the state and the idempotency key. A request that is under way may still take effect. */
  readonly reset: () => void;
}

/**
 * Dispatches messages of one type, each once: the idempotency key is made at the first call and kept over
 * failures and further clicks, until the message is dispatched, payload or options change, `reset` is called
 * or the user leaves.
 *
 * ```tsx
 * const { dispatch, isPending, error } = useDispatch("RenderVideo");
 * <button disabled={isPending} onClick={() => dispatch({ video })}>Render</button>
 * ```
 *
 * @param message a registered name, or the result of `message`
 */
export function useDispatch<const Message extends KnownMessage>(
  message: Message,
): UseDispatchResult<PayloadOf<Message>> {
  const [{ dispatch, reset }, state] = useIntent(message);
  return { ...state, dispatch, reset };
}

/** The dispatches of a component, and where they stand. With a storage key, a reload finds the job. */
export function useIntent(
  message: KnownMessage,
  storageKey?: string,
): readonly [Intent, DispatchState] {
  const type = nameOf(message);
  const intent = useOwn(
    ({ client, jobs, dispatched }) =>
      createIntent(client, type, (job) => {
        if (storageKey) jobs.set(storageKey, job.id);
        dispatched.put(job);
      }),
    type,
    storageKey,
  );
  return [intent, useStore(intent)];
}
