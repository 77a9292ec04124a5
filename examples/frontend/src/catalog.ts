/** Each type of message, as the page shows it. */

import type { IconName } from "./icons.tsx";
import type { Messages } from "./messenger.gen.ts";

/** A type of message as the page shows it. */
export interface JobType<Type extends keyof Messages> {
  readonly title: string;
  readonly about: string;
  readonly icon: IconName;
  /** How often it is tried at most: the retries of its definition, and one. */
  readonly attempts: number;
  readonly action: string;
  readonly field: {
    readonly label: string;
    readonly type: "number" | "text";
    readonly initial: string;
    readonly toPayload: (value: string) => Messages[Type]["payload"];
  };
}

/** Every type, by its name. */
export const catalog: { readonly [Type in keyof Messages]: JobType<Type> } = {
  ExportReport: {
    title: "Export a report",
    about: "Fails at its first attempt, and succeeds at the second.",
    icon: "report",
    attempts: 4,
    action: "Export",
    field: {
      label: "Pages",
      type: "number",
      initial: "6",
      toPayload: (value) => ({ pages: Number(value) }),
    },
  },
  SyncCalendar: {
    title: "Sync a calendar",
    about: "Fails at every attempt, and ends in the dead letters.",
    icon: "calendar",
    attempts: 2,
    action: "Sync",
    field: {
      label: "Calendar",
      type: "text",
      initial: "rehearsals",
      toPayload: (calendar) => ({ calendar }),
    },
  },
  RenderVideo: {
    title: "Render a video",
    about: "Takes as long as you say: time enough to cancel it.",
    icon: "video",
    attempts: 4,
    action: "Render",
    field: {
      label: "Seconds",
      type: "number",
      initial: "30",
      toPayload: (value) => ({ seconds: Number(value) }),
    },
  },
};

/** The title of a message's type, and how often it is tried; its own name for a type that is not listed. */
export function titleOf(type: string): { readonly title: string; readonly attempts?: number } {
  return catalog[type as keyof Messages] ?? { title: type };
}
