/** The caller's access, for pages that show no more than it allows. */

import { z } from "@hono/zod-openapi";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { time } from "./query-fields.ts";

/** Adds the endpoint of the caller's access. */
export function addAccess(app: ManagementApp): void {
  addEndpoint(
    app,
    {
      method: "get",
      path: "/access",
      operationId: "getAccess",
      tag: "access",
      summary: "The caller's name in the action log, and whether the caller may change anything",
      answer: z.object({
        actor: z.string().openapi({ description: "A user's id, or `secret key` and its name" }),
        mayChange: z.boolean().openapi({ description: "False: every GET, and nothing else" }),
        now: time.openapi({ description: "The function's clock" }),
        hasSecretKey: z.boolean().openapi({ description: "Whether the caller may call the setup" }),
      }).openapi("Access"),
    },
    ({ operator: { actor, isReadOnly, hasSecretKey } }) =>
      Promise.resolve({
        ...{ actor, mayChange: !isReadOnly, hasSecretKey },
        now: new Date().toISOString(),
      }),
  );
}
