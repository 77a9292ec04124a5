"use client";

/** Hooks for React 18 and 19 over the client. */

export { MessengerProvider, type MessengerProviderProps, useMessenger } from "./context.ts";
export type { DispatchState } from "./intent.ts";
export type { MessagesState } from "./message-list.ts";
export { messageQueryOptions } from "./query-options.ts";
// The compiler lets a user's module add to Register only through `export *`.
export * from "./register.ts";
export { useDispatch, type UseDispatchResult } from "./use-dispatch.ts";
export { useJob, type UseJobOptions, type UseJobResult } from "./use-job.ts";
export { type SkipToken, skipToken, useMessage } from "./use-message.ts";
export { useMessages, type UseMessagesOptions, type UseMessagesResult } from "./use-messages.ts";
