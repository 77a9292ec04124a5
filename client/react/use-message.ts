/** `useMessage`: the state of a message, live. */

import type { MessageView } from "../entry.ts";
import type { MessageRef } from "../ids.ts";
import { useOwn, useStore } from "./context.ts";

/** Given instead of an id, it follows no message. */
export const skipToken: unique symbol = Symbol();

/** Stands for {@link skipToken}. */
export type SkipToken = typeof skipToken;

/** On servers, at hydration, and for no message. */
const NONE = { connection: "connecting" } as MessageView;
const getNone = () => NONE;
const NOTHING = { subscribe: () => () => {}, get: getNone };

/**
 * Follows a message while the component is mounted. All components that follow one message share its requests.
 *
 * ```tsx
 * const { message, connection } = useMessage(id ?? skipToken);
 * return <progress value={message?.progress?.value ?? 0} />;
 * ```
 *
 * @param message the message or its id; `skipToken`, undefined or null while there is none
 */
export function useMessage(message: MessageRef | SkipToken | null | undefined): MessageView {
  // A job may be another object at each render.
  const id = (message as { readonly id?: string } | null | undefined)?.id ?? message;
  // Any symbol skips: a page may have two copies of this file, as ESM and as CommonJS.
  const observer = useOwn(
    ({ client }) => typeof id === "string" ? client.observe(message as MessageRef) : NOTHING,
    id,
  );
  return useStore(observer, getNone);
}
