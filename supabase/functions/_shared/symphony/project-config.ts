/** The configuration of a project in code: settings of the functions, transports, and which messages go through them. */

import type { RoutingOptions } from "./bus/routing.ts";
import { checkIsOptions } from "./runtime/option-names.ts";
import { type Config, type ProjectSettings, readConfig } from "./runtime/config.ts";

/** `config` in a project's `_messages/mod.ts`. An environment variable wins over a setting. */
export type ProjectConfig = ProjectSettings & RoutingOptions;

/**
 * Reads a project's configuration.
 * @param get reads a variable; default: the environment
 * @returns the settings, and what {@link RoutingOptions} say, unchecked
 * @throws RangeError that names each wrong variable, or setting in code, and its problem
 */
export function readProjectConfig(
  project: ProjectConfig = {},
  get?: (name: string) => string | undefined,
): { readonly config: Config } & RoutingOptions {
  checkIsOptions(project, "config: ");
  const { transports, routing, ...settings } = project;
  return {
    config: readConfig(get, settings, ["transports", "routing"]),
    ...(transports && { transports }),
    ...(routing && { routing }),
  };
}
