/** Redrives from code: wrong options are refused before the database is asked. */

import { assert, assertRejects } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import {
  redrive,
  type RedriveOptions,
} from "../../../supabase/functions/_shared/symphony/dead-letters/redrive.ts";
import { define } from "../../support/definitions.ts";
import { workbench } from "../../support/worker.ts";

const { bus } = workbench([define(() => {})]);
const supabase = createClient("http://127.0.0.1:1", "sb_secret_none", {
  global: { fetch: () => Promise.reject(new Error("the database was asked")) },
});

// JSON has null for each of the first four, which would be no filter or no bound.
const wrong: [string, object][] = [
  ["failedFrom", { type: "T", failedFrom: new Date(NaN) }],
  ["createdUntil", { type: "T", createdUntil: new Date("soon") }],
  ["maxMessages", { type: "T", maxMessages: NaN }],
  ["perSecond", { all: true, perSecond: Infinity }],
  ["ids", { ids: "12" }],
  ["ids", { ids: ["x"] }],
  ["ids", { ids: [undefined] }],
  ["ids", { ids: null, type: "T" }],
  ["failedUntil", { failedUntil: "2h" }],
  ["type", { type: 5 }],
  ["queue", { queue: ["mail"] }],
  ["groupKey", { groupKey: {} }],
  ["user", { user: "" }],
  ["all", { all: "yes" }],
  ["dryRun", { all: true, dryRun: "no" }],
  ["dryRun", { all: true, dryRun: null }],
  ["toQueue", { all: true, toQueue: 7 }],
];
for (const [field, options] of wrong) {
  Deno.test(`a redrive is refused by the name of its wrong option: ${Deno.inspect(options)}`, async () => {
    const error = await assertRejects(
      () => redrive(supabase, bus, options as RedriveOptions),
      RangeError,
    );
    assert(error.message.startsWith(`${field}: `), error.message);
  });
}
