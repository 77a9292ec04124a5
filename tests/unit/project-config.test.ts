/** The configuration of a project in code: settings beside transports and routes, each name checked. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  type ProjectConfig,
  readProjectConfig,
} from "../../supabase/functions/_shared/symphony/project-config.ts";
import { recorded } from "../support/recorded_engine.ts";

const none = () => undefined;

Deno.test("transports and routes are told apart from the settings", () => {
  const transports = { eu: recorded() };
  const routing = { "Audit*": "eu" };
  const read = readProjectConfig({ workerConcurrency: 50, transports, routing }, none);
  assertEquals([read.config.workerConcurrency, read.transports, read.routing], [
    50,
    transports,
    routing,
  ]);
  assertEquals(Object.keys(readProjectConfig({}, none)), ["config"]);
});

Deno.test("a misspelled name is refused with the one that was meant", () => {
  for (const [name, meant] of [["transport", "transports"], ["routings", "routing"]] as const) {
    assertThrows(
      () => readProjectConfig({ [name]: {} } as ProjectConfig, none),
      RangeError,
      `config: ${name}: no such option; did you mean ${meant}?`,
    );
  }
});
