/** Which page each path shows. */

import type { ComponentType } from "preact";
import { ActionsPage } from "../pages/actions/actions-page.tsx";
import { BatchPage } from "../pages/batches/batch-page.tsx";
import { BatchesPage } from "../pages/batches/batches-page.tsx";
import { DeadLetterPage } from "../pages/dead-letters/dead-letter-page.tsx";
import { DeadLettersPage } from "../pages/dead-letters/dead-letters-page.tsx";
import { EventsPage } from "../pages/events/events-page.tsx";
import { MessagePage } from "../pages/messages/message-page.tsx";
import { MessagesPage } from "../pages/messages/messages-page.tsx";
import { OverviewPage } from "../pages/overview/overview-page.tsx";
import { QueuePage } from "../pages/queues/queue-page.tsx";
import { QueuesPage } from "../pages/queues/queues-page.tsx";
import { ScheduleCalendarPage } from "../pages/schedules/schedule-calendar-page.tsx";
import { ScheduleFormPage } from "../pages/schedules/schedule-form-page.tsx";
import { SchedulePage } from "../pages/schedules/schedule-page.tsx";
import { SchedulesPage } from "../pages/schedules/schedules-page.tsx";
import { TicksPage } from "../pages/ticks/ticks-page.tsx";
import type { PageProps } from "./page-props.ts";
import { matchPath } from "./router.tsx";

/** Paths in the order in which they are tried. */
const ROUTES: readonly (readonly [string, ComponentType<PageProps>])[] = [
  ["/", OverviewPage],
  ["/messages", MessagesPage],
  ["/messages/:id", MessagePage],
  ["/dead-letters", DeadLettersPage],
  ["/dead-letters/:id", DeadLetterPage],
  ["/queues", QueuesPage],
  ["/queues/:name", QueuePage],
  ["/schedules", SchedulesPage],
  ["/schedules/new", ScheduleFormPage],
  ["/schedules/calendar", ScheduleCalendarPage],
  ["/schedules/:id", SchedulePage],
  ["/schedules/:id/edit", ScheduleFormPage],
  ["/batches", BatchesPage],
  ["/batches/:id", BatchPage],
  ["/events", EventsPage],
  ["/ticks", TicksPage],
  ["/actions", ActionsPage],
];

/** The page of a path; null: there is none. */
export function findPage(
  path: string,
): { readonly Page: ComponentType<PageProps>; readonly params: Record<string, string> } | null {
  for (const [pattern, Page] of ROUTES) {
    const params = matchPath(pattern, path);
    if (params) return { Page, params };
  }
  return null;
}
