/** The management API for operators: apps that a function mounts, each with the resources that a request needs. */

import { OpenAPIHono } from "@hono/zod-openapi";
import { authenticateOperator, type OperatorRoles } from "../http/operator.ts";
import { Problem } from "../http/problem.ts";
import { VERSION } from "../runtime/version.ts";
import type { ManagementApp, ManagementEnv } from "./endpoint.ts";
import type { ManagementParts } from "./parts.ts";
import { type Resource, RESOURCES } from "./resources.ts";
import { TransportChecks } from "./transport-checks.ts";

/** Path of the OpenAPI document, which describes all resources. */
const DOCUMENT = "openapi.json";

/**
 * The resources that an app needs for requests whose path begins with `root`.
 * @param root first part of the path, behind the function's name
 * @returns an empty array if nothing is there
 */
export function resourcesAt(root: string): readonly Resource[] {
  return root === DOCUMENT ? RESOURCES : RESOURCES.filter(({ roots }) => roots.includes(root));
}

/**
 * Returns a function that makes apps, which share the results of the transports' checks. Every path, known or not,
 * needs an operator's credentials.
 * @param roles roles of users who are operators
 */
export function managementApps(
  parts: ManagementParts,
  roles: OperatorRoles,
): (resources: readonly Resource[]) => Promise<ManagementApp> {
  const checks = new TransportChecks(parts.router);
  return async (resources) => {
    const app = new OpenAPIHono<ManagementEnv>();
    app.use(async (c, next) => {
      const operator = await authenticateOperator(c.req.raw, roles);
      if (operator.isReadOnly && !["GET", "HEAD"].includes(c.req.method)) {
        throw new Problem(403, "forbidden", "The roles of this user may only read");
      }
      c.set("operator", operator);
      await next();
    });
    for (const add of await Promise.all(resources.map(({ load }) => load()))) {
      add(app, parts, checks);
    }
    if (resources === RESOURCES) app.get(`/${DOCUMENT}`, (c) => c.json(openApiDocument(app)));
    return app;
  };
}

/** The OpenAPI 3.1 document of an app. */
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
