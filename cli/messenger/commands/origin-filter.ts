/** The filter that messages and dead letters share: what they are, and where they came from. */

import type { Option } from "commander";
import { type Context, text } from "../context.ts";
import { parseMoment } from "../times.ts";

/** Its options. */
export interface OriginFilter {
  type?: string;
  queue?: string;
  group?: string;
  user?: string;
  createdFrom?: string;
  createdTo?: string;
  error?: string;
}

/** The options of the filter. */
export const originOptions = (): Option[] => [
  text("--type <type>", "of this message type"),
  text("--queue <queue>", "of this queue"),
  text("--group <key>", "of this ordered group; with --queue it is found at once"),
  text("--user <id>", "dispatched by this user"),
  text("--created-from <time>", "dispatched at this time or later: 2h, yesterday, an ISO time"),
  text("--created-to <time>", "dispatched before this time"),
  text("--error <text>", "whose last error has this text in it"),
];

/** The fields of the API for the given options. */
export function originFields(context: Context, filter: OriginFilter): Record<string, string> {
  const { type, queue, group, user, createdFrom, createdTo, error } = filter;
  return {
    ...(type !== undefined && { type }),
    ...(queue !== undefined && { queue }),
    ...(group !== undefined && { groupKey: group }),
    ...(user !== undefined && { user }),
    ...(error !== undefined && { error }),
    ...(createdFrom !== undefined && { createdFrom: past(context, createdFrom, "created-from") }),
    ...(createdTo !== undefined && { createdUntil: past(context, createdTo, "created-to") }),
  };
}

/** A time as people write it, which lies in the past where it is an age. */
export function past(context: Context, text: string, option: string): string {
  return parseMoment(text, option, context.io.now(), "ago").toISOString();
}
