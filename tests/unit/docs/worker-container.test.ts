/** The example of a container: no Docker runs here, so its commands are held against the command and the pins. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Command } from "commander";
import { PINNED } from "../../../cli/worker/deno.ts";
import { addWorker } from "../../../cli/worker/command.ts";
import type { Context } from "../../../cli/messenger/context.ts";
import { IMPORT_MAP, MESSAGES } from "../../../cli/project/functions.ts";
import { readPublished } from "../../../local/release_source.ts";
import { compareVersions } from "../../../supabase/functions/_shared/symphony/runtime/versions.ts";

const ROOT = new URL("../../../", import.meta.url);
const dockerfile = await Deno.readTextFile(new URL("examples/worker-container/Dockerfile", ROOT));

/** The words of an instruction in JSON, such as CMD. */
function words(instruction: string): string[] {
  const line = dockerfile.split("\n").find((line) => line.startsWith(`${instruction} [`));
  return JSON.parse(line?.slice(instruction.length) ?? "[]");
}

Deno.test("the container takes the Deno that the command would fetch, and the last published release", async () => {
  assertStringIncludes(dockerfile, `denoland/deno:bin-${PINNED}`);
  const [, installed] = /symphony-messenger@(\S+)/.exec(dockerfile) ?? [];
  assertEquals(installed, Object.keys(await readPublished()).sort(compareVersions).at(-1));
});

Deno.test("the container copies the messages and their import map, and starts the command with flags that it has", () => {
  assertStringIncludes(dockerfile, `COPY ${MESSAGES} ${MESSAGES}`);
  assertStringIncludes(dockerfile, `--import-map ${IMPORT_MAP} ${MESSAGES}/mod.ts`);
  assertEquals(words("ENTRYPOINT"), ["symphony-messenger", "worker"]);
  const program = new Command();
  addWorker(program, {} as Context);
  const known = program.commands[0]?.options.map(({ long }) => long) ?? [];
  const flags = words("CMD").filter((word) => word.startsWith("--"));
  assert(flags.length > 0);
  for (const flag of flags) assert(known.includes(flag), `no such flag: ${flag}`);
});
