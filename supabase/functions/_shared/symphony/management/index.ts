/** The management API for operators, as an app that a function mounts. */

import { OpenAPIHono } from "@hono/zod-openapi";
import { authenticateOperator, type OperatorRoles } from "../http/operator.ts";
import { Problem } from "../http/problem.ts";
import { VERSION } from "../runtime/version.ts";
import { addAccess } from "./caller-access.ts";
import { addAlertChannels } from "./alert-channels.ts";
import { addAlertDeliveries } from "./alert-deliveries.ts";
import { addAlerts } from "./alerts.ts";
import { addBatches } from "./batches.ts";
import type { ManagementApp, ManagementEnv } from "./endpoint.ts";
import { addEvents } from "./event-lists.ts";
import { addFailedMessages } from "./failed-messages.ts";
import { addMessages } from "./messages.ts";
import type { ManagementParts } from "./parts.ts";
import { addOutbox } from "./outbox.ts";
import { addPruning } from "./prune.ts";
import { addQueues } from "./queues.ts";
import { addSchedules } from "./schedules.ts";
import { addSetup } from "./setup.ts";
import { addStatus } from "./status.ts";
import { addTimeSeries } from "./time-series.ts";
import { TransportChecks } from "./transport-checks.ts";
import { addTransports } from "./transports.ts";
import { addTypes } from "./types.ts";
import { addWebhooks } from "./webhooks.ts";

/**
 * Makes the app. Every path, known or not, needs an operator's credentials.
 * @param roles roles of users who are operators
 */
export function createManagementApp(parts: ManagementParts, roles: OperatorRoles): ManagementApp {
  const app = new OpenAPIHono<ManagementEnv>();
  app.use(async (c, next) => {
    const operator = await authenticateOperator(c.req.raw, roles);
    if (operator.isReadOnly && !["GET", "HEAD"].includes(c.req.method)) {
      throw new Problem(403, "forbidden", "The roles of this user may only read");
    }
    c.set("operator", operator);
    await next();
  });
  addAccess(app);
  addSchedules(app, parts);
  addFailedMessages(app, parts);
  addMessages(app, parts);
  addBatches(app, parts);
  addOutbox(app, parts);
  addEvents(app, parts);
  addQueues(app, parts);
  addWebhooks(app, parts);
  addAlerts(app, parts);
  addAlertChannels(app, parts);
  addAlertDeliveries(app, parts);
  addPruning(app, parts);
  addSetup(app, parts);
  const checks = new TransportChecks(parts.router);
  addStatus(app, parts, checks);
  addTimeSeries(app, parts);
  addTransports(app, parts, checks);
  addTypes(app, parts);
  app.get("/openapi.json", (c) => c.json(openApiDocument(app)));
  return app;
}

/** The OpenAPI 3.1 document of the app. */
export function openApiDocument(app: ManagementApp): object {
  app.openAPIRegistry.registerComponent("securitySchemes", "secretKey", {
    type: "apiKey",
    in: "header",
    name: "apikey",
    description: "A secret key of the project",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "user", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description:
      "A signed-in user with a role of SYMPHONY_ADMIN_ROLES, or SYMPHONY_READ_ONLY_ROLES to read",
  });
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Symphony Messenger",
      version: VERSION,
      description: "For operators: reads and changes schedules, messages, dead letters and queues.",
      license: { name: "MIT" },
    },
    servers: [{ url: "/functions/v1/messenger" }],
    security: [{ secretKey: [] }, { user: [] }],
  });
}
