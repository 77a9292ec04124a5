/**
 * The settings of this project's functions, where they differ from the defaults. An environment
 * variable of the same setting wins: docs/configuration.md lists them.
 *
 * ```ts
 * export const config: ProjectConfig = { workerConcurrency: 50, adminRoles: ["ops"] };
 * ```
 */

import type { ProjectConfig } from "../_shared/symphony/index.ts";

/** The settings of this project. */
export const config: ProjectConfig = {};
