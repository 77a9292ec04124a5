/** Which page each path shows. The overview comes with the first script, most others with one that is loaded behind it. */

import type { ComponentType } from "preact";
import { OverviewPage } from "../pages/overview/overview-page.tsx";
import { type LazyPage, lazyPage } from "./lazy-page.tsx";
import type { PageProps } from "./page-props.ts";
import { matchPath } from "./router.tsx";

const overview: LazyPage = { Page: OverviewPage, preload: () => Promise.resolve() };
/** A page of the script that is loaded behind the overview. */
const later = (name: keyof typeof import("../pages/later-pages.ts")): LazyPage =>
  lazyPage(() => import("../pages/later-pages.ts"), name);
/** Few operators come for these: they are loaded when they are opened, and not ahead of time. */
const onDemand = (page: LazyPage): LazyPage => ({ ...page, preload: () => Promise.resolve() });
const alerts = (name: keyof typeof import("../pages/alerts/alert-pages.ts")): LazyPage =>
  onDemand(lazyPage(() => import("../pages/alerts/alert-pages.ts"), name));
const webhooks = (name: keyof typeof import("../pages/webhooks/webhook-pages.ts")): LazyPage =>
  onDemand(lazyPage(() => import("../pages/webhooks/webhook-pages.ts"), name));
const transports = (
  name: keyof typeof import("../pages/transports/transport-pages.ts"),
): LazyPage => onDemand(lazyPage(() => import("../pages/transports/transport-pages.ts"), name));

const scheduleForm = onDemand(
  lazyPage(() => import("../pages/schedules/schedule-form-page.tsx"), "ScheduleFormPage"),
);

/** Paths in the order in which they are tried. */
const ROUTES: readonly (readonly [string, LazyPage])[] = [
  ["/", overview],
  ["/messages", later("MessagesPage")],
  ["/messages/:id", later("MessagePage")],
  [
    "/dead-letters",
    later("DeadLettersPage"),
  ],
  [
    "/dead-letters/:id",
    later("DeadLetterPage"),
  ],
  ["/queues", later("QueuesPage")],
  ["/queues/:name", later("QueuePage")],
  ["/schedules", later("SchedulesPage")],
  ["/schedules/new", scheduleForm],
  [
    "/schedules/calendar",
    later("ScheduleCalendarPage"),
  ],
  [
    "/schedules/:id",
    later("SchedulePage"),
  ],
  ["/schedules/:id/edit", scheduleForm],
  ["/batches", later("BatchesPage")],
  ["/batches/:id", later("BatchPage")],
  ["/events", later("EventsPage")],
  ["/ticks", later("TicksPage")],
  ["/alerts", alerts("AlertsPage")],
  ["/alerts/:name", alerts("AlertPage")],
  ["/transports", transports("TransportsPage")],
  ["/transports/:name", transports("TransportPage")],
  ["/webhooks", webhooks("WebhooksPage")],
  ["/webhooks/:name", webhooks("WebhookPage")],
  ["/actions", later("ActionsPage")],
];

/** The page of a path; null: there is none. */
export function findPage(
  path: string,
): { readonly Page: ComponentType<PageProps>; readonly params: Record<string, string> } | null {
  for (const [pattern, { Page }] of ROUTES) {
    const params = matchPath(pattern, path);
    if (params) return { Page, params };
  }
  return null;
}

/** Loads the pages that most come for, one after the other, so that the next one opens at once. */
export async function preloadPages(): Promise<void> {
  for (const [, { preload }] of ROUTES) await preload().catch(() => {});
}
