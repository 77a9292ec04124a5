/**
 * The resources of the management API, in the order of its document. The schemas and routes of all would take a fifth
 * of a cold start (28 of 140 ms), so each module is loaded by the first request for one of its paths. Bundlers follow
 * an import() of a literal path only.
 */

import type { ManagementApp } from "./endpoint.ts";
import type { ManagementParts } from "./parts.ts";
import type { TransportChecks } from "./transport-checks.ts";

/** Some endpoints, and where they are. */
export interface Resource {
  /** First parts of their paths. */
  readonly roots: readonly string[];
  /** Loads the function that adds them to an app. */
  readonly load: () => Promise<
    (app: ManagementApp, parts: ManagementParts, checks: TransportChecks) => void
  >;
}

/** All resources. */
export const RESOURCES: readonly Resource[] = [
  { roots: ["access"], load: async () => (await import("./caller-access.ts")).addAccess },
  { roots: ["schedules"], load: async () => (await import("./schedules.ts")).addSchedules },
  {
    roots: ["failed-messages"],
    load: async () => (await import("./failed-messages.ts")).addFailedMessages,
  },
  { roots: ["messages"], load: async () => (await import("./messages.ts")).addMessages },
  { roots: ["batches"], load: async () => (await import("./batches.ts")).addBatches },
  { roots: ["outbox", "transports"], load: async () => (await import("./outbox.ts")).addOutbox },
  { roots: ["events"], load: async () => (await import("./event-lists.ts")).addEvents },
  { roots: ["queues"], load: async () => (await import("./queues.ts")).addQueues },
  {
    roots: ["webhooks", "webhook-deliveries"],
    load: async () => (await import("./webhooks.ts")).addWebhooks,
  },
  { roots: ["alerts"], load: async () => (await import("./alerts.ts")).addAlerts },
  {
    roots: ["alert-channels"],
    load: async () => (await import("./alert-channels.ts")).addAlertChannels,
  },
  {
    roots: ["alert-deliveries"],
    load: async () => (await import("./alert-deliveries.ts")).addAlertDeliveries,
  },
  { roots: ["prune"], load: async () => (await import("./prune.ts")).addPruning },
  { roots: ["setup"], load: async () => (await import("./setup.ts")).addSetup },
  {
    roots: ["health", "stats", "metrics", "ticks", "actions", "objects"],
    load: async () => (await import("./status.ts")).addStatus,
  },
  {
    roots: ["time-series", "backlogs"],
    load: async () => (await import("./time-series.ts")).addTimeSeries,
  },
  { roots: ["transports"], load: async () => (await import("./transports.ts")).addTransports },
  { roots: ["types"], load: async () => (await import("./types.ts")).addTypes },
];
