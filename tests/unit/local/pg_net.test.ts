/** The rhythm of pg_net's stand-in, which decides how soon a request leaves. */

import { assertEquals } from "@std/assert";
import { Rhythm } from "../../../local/pg_net.ts";

const PAUSE_MS = 1000;
const sends = () => Promise.resolve(true);
const findsNothing = () => Promise.resolve(false);

/** A rhythm that has become idle. */
async function idle(): Promise<Rhythm> {
  const rhythm = new Rhythm();
  assertEquals(await rhythm.round(findsNothing), PAUSE_MS);
  await rhythm.round(findsNothing);
  return rhythm;
}

Deno.test("a request after idleness wakes pg_net, and so does the first one in the pause that follows", async () => {
  const rhythm = await idle();
  assertEquals(rhythm.ask(), true);
  assertEquals(await rhythm.round(sends), PAUSE_MS);
  assertEquals(rhythm.ask(), true);
});

Deno.test("any further request waits for the end of pg_net's pause", async () => {
  const rhythm = await idle();
  rhythm.ask();
  await rhythm.round(sends);
  rhythm.ask();
  await rhythm.round(sends);
  for (let pause = 0; pause < 3; pause++) {
    assertEquals(rhythm.ask(), false);
    assertEquals(await rhythm.round(sends), PAUSE_MS);
  }
});

Deno.test("a pause without a request makes pg_net wakeable again", async () => {
  const rhythm = await idle();
  for (let request = 0; request < 2; request++) {
    rhythm.ask();
    await rhythm.round(sends);
  }
  // One more pause, and the flag is put back.
  assertEquals(await rhythm.round(findsNothing), PAUSE_MS);
  assertEquals(await rhythm.round(findsNothing), PAUSE_MS);
  assertEquals(rhythm.ask(), true);
});

Deno.test("an idle pg_net does nothing until it is asked", async () => {
  const rhythm = await idle();
  let looked = false;
  const work = () => Promise.resolve(looked = true);
  assertEquals(await rhythm.round(work) > PAUSE_MS, true);
  assertEquals(looked, false);
});
