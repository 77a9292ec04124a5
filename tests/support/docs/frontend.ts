/** The surroundings of code about the client and the hooks: an app's clients, components and values. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { ReactElement } from "react";
import type { FollowedState, Job, MessageId, MessengerClient } from "symphony-messenger/client";
import type { Messages } from "./messenger.gen.ts";

export { createClient } from "@supabase/supabase-js";
export { useQuery } from "@tanstack/react-query";
export { StrictMode } from "react";
export { createRoot } from "react-dom/client";
export { defineMessage, z } from "symphony-messenger";
export {
  createMessengerClient,
  type FollowedState,
  isMessengerError,
  type MessengerError,
} from "symphony-messenger/client";
export {
  messageQueryOptions,
  MessengerProvider,
  skipToken,
  useDispatch,
  useJob,
  useMessage,
  useMessages,
} from "symphony-messenger/react";
export type { Messages } from "./messenger.gen.ts";

export declare const supabase: SupabaseClient;
export declare const messenger: MessengerClient<Messages>;
export declare const job: Job<"RenderVideo", Messages["RenderVideo"]["result"]>;
export declare const message: FollowedState;
export declare const id: MessageId;
export declare const ids: MessageId[];
export declare const payload: Messages["RenderVideo"]["payload"];
export declare const rows: Messages["ImportRow"]["payload"][];
export declare const url: string;
export declare const publishableKey: string;
export declare const idempotencyKey: string;
export declare const signal: AbortSignal;
export declare const cursor: string;
export declare const file: string;
export declare const video: string;
export declare const invoice: string;
export declare const root: HTMLElement;
export declare function show(...values: unknown[]): void;
export declare function render(page: number, options: { signal: AbortSignal }): Promise<void>;
export declare function App(): ReactElement;
