/** The wait of a worker's loop: by a change, or at a moment, with one timer for all turns. */

import { assertEquals, assertRejects } from "@std/assert";
import { once } from "node:events";
import process from "node:process";
import { Change } from "../../../supabase/functions/_shared/symphony/worker/change.ts";

const soon = () => performance.now() + 5;
const late = () => performance.now() + 60_000;

Deno.test("a wait ends at its time behind one for a later time, which a change has ended", async () => {
  const changed = new Change();
  const first = changed.next(late());
  changed.notify();
  await first;
  await changed.next(soon());
  changed.close();
});

Deno.test("a wait ends at its time behind one whose time has come", async () => {
  const changed = new Change();
  await changed.next(soon());
  await changed.next(soon());
  changed.close();
});

Deno.test("a wait for a later time ends by a change, whatever the timer of an earlier wait does", async () => {
  const changed = new Change();
  const first = changed.next(soon());
  changed.notify();
  await first;
  const second = changed.next(Infinity);
  changed.notify();
  await second;
  changed.close();
});

Deno.test("a failure ends the wait with its error", async () => {
  const changed = new Change();
  const waiting = changed.next(late());
  changed.fail(new Error("the database is gone"));
  await assertRejects(() => waiting, Error, "the database is gone");
  changed.close();
});

Deno.test("a moment that is over ends the wait, and Node has nothing to warn of", async () => {
  const warnings: string[] = [];
  const note = ({ name }: Error) => void warnings.push(name);
  process.on("warning", note);
  const change = new Change();
  await change.next(performance.now() - 5);
  change.close();
  // A warning comes in its turn: one of ours is behind any of the timer's.
  const heard = once(process, "warning");
  process.emitWarning("ours", "Ours");
  await heard;
  process.off("warning", note);
  assertEquals(warnings, ["Ours"]);
});
