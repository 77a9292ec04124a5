/** The areas of the console, in the order of the menu. */

import type { IconName } from "../components/icon.tsx";

/** One area. */
export interface Area {
  readonly path: string;
  readonly title: string;
  readonly icon: IconName;
  /** Behind `g`. */
  readonly letter: string;
}

/** The menu. */
export const NAVIGATION: readonly Area[] = [
  { path: "/", title: "Overview", icon: "overview", letter: "o" },
  { path: "/messages", title: "Messages", icon: "messages", letter: "m" },
  { path: "/dead-letters", title: "Dead letters", icon: "failed", letter: "d" },
  { path: "/queues", title: "Queues", icon: "queues", letter: "q" },
  { path: "/schedules", title: "Schedules", icon: "schedules", letter: "s" },
  { path: "/batches", title: "Batches", icon: "batches", letter: "b" },
  { path: "/events", title: "Events", icon: "events", letter: "e" },
  { path: "/ticks", title: "Ticks", icon: "ticks", letter: "t" },
  { path: "/alerts", title: "Alerts", icon: "alerts", letter: "l" },
  { path: "/transports", title: "Transports", icon: "transports", letter: "r" },
  { path: "/webhooks", title: "Webhooks", icon: "webhooks", letter: "w" },
  { path: "/actions", title: "Action log", icon: "actions", letter: "a" },
];

/** Whether a path belongs to an area. */
export function isWithin(area: Area, path: string): boolean {
  return area.path === "/" ? path === "/" : path === area.path || path.startsWith(`${area.path}/`);
}
