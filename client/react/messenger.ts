/** The part of the client that the hooks use. A client of any messages fits. */

import type { Abortable } from "../request.ts";
import type { DispatchOptions } from "../dispatch.ts";
import type { Job } from "../job.ts";
import type { MessengerClient } from "../client.ts";

/** A client, whatever its messages. */
export interface Messenger
  extends Pick<MessengerClient, "session" | "job" | "status" | "cancel" | "observe"> {
  dispatch(type: string, payload: unknown, options?: DispatchOptions & Abortable): Promise<Job>;
  list: MessengerClient["list"];
}
