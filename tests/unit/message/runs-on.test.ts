/** Where messages run: the option `runsOn` and its queue. */

import { assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import type { RunsOn } from "../../../supabase/functions/_shared/symphony/message/definition.ts";
import { createRegistry } from "../../../supabase/functions/_shared/symphony/message/registry.ts";
import { workerQueues } from "../../../supabase/functions/_shared/symphony/message/runs-on.ts";

const message = (type: string, queue?: string, runsOn?: RunsOn) =>
  defineMessage({
    type,
    schema: z.unknown(),
    handler: () => {},
    ...(queue && { queue }),
    ...(runsOn && { runsOn }),
  });

Deno.test("a message runs in ticks unless its definition says otherwise", () => {
  assertEquals([message("A").runsOn, message("B", "heavy", "worker").runsOn], ["tick", "worker"]);
});

Deno.test("runsOn takes tick and worker only", () => {
  assertThrows(
    () => message("A", "heavy", "moon" as RunsOn),
    RangeError,
    'A: runsOn: has to be tick or worker; got "moon"',
  );
});

Deno.test("a message that runs on workers needs a queue of its own", () => {
  assertThrows(
    () => message("A", undefined, "worker"),
    RangeError,
    "A: runsOn: worker needs a queue of its own",
  );
});

Deno.test("a queue of messages that run on workers has no others", () => {
  const messages = [message("Thumbnail", "heavy"), message("Video", "heavy", "worker")];
  assertThrows(
    () => createRegistry(messages),
    RangeError,
    "Thumbnail: queue: heavy runs on workers because of Video",
  );
});

Deno.test("the queues of workers are those of the messages that run there, each once", () => {
  const messages = [
    ...[message("A"), message("B", "other")],
    ...[message("C", "z", "worker"), message("D", "heavy", "worker"), message("E", "z", "worker")],
  ];
  assertEquals(workerQueues(messages), ["heavy", "z"]);
});
