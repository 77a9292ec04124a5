/** The files of `_messages/` in a new project. The user's from then on: no command changes them. */

const MOD =
  `/** This project, as its functions import it. A message is known once it stands here. */

import type { EventDefinition } from "symphony-messenger";
import { ExampleMessage } from "./example.ts";

export { config } from "./config.ts";
export { schedules } from "./schedules.ts";

/** Every message definition of this project. */
export const messages = [ExampleMessage];

/** Every event that handlers wait for and that may be emitted over HTTPS, as \`defineEvent\` declares it. */
export const events: readonly EventDefinition[] = [];
`;

const SCHEDULES = `/**
 * The schedules of this project that are declared in code. The first tick after a deploy makes the table so; one
 * that is taken away here is disabled there.
 *
 *   defineSchedule(ExampleMessage, { text: "good morning" }, {
 *     name: "good-morning",
 *     type: "cron",
 *     config: { cron: "0 9 * * mon" },
 *     timezone: "Europe/London",
 *   }),
 */

import type { DeclaredSchedule } from "symphony-messenger";

/** Every declared schedule of this project. */
export const schedules: readonly DeclaredSchedule[] = [];
`;

const CONFIG = `/**
 * The settings of this project's functions, where they differ from the defaults. An environment variable of the
 * same setting wins.
 *
 *   export const config: ProjectConfig = { workerConcurrency: 50, adminRoles: ["ops"] };
 */

import type { ProjectConfig } from "symphony-messenger";

/** The settings of this project. */
export const config: ProjectConfig = {};
`;

const EXAMPLE =
  `/** An example: a message whose handler writes a line to the log. Remove it once you have your own. */

import { defineMessage } from "symphony-messenger";
import { z } from "zod";

/** Says something in the log of the function \`tick\`. */
export const ExampleMessage = defineMessage({
  type: "ExampleMessage",
  schema: z.object({ text: z.string().max(200).default("hello") }),
  handler: ({ text }, { log }) => log.info("example", { text }),
});
`;

/** The files by name. */
export const MESSAGES_FILES: Readonly<Record<string, string>> = {
  "mod.ts": MOD,
  "schedules.ts": SCHEDULES,
  "config.ts": CONFIG,
  "example.ts": EXAMPLE,
};
