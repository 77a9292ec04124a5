/** useJob: a message that is dispatched and followed, also over a reload. */

import { assertEquals, assertRejects } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { fakeMessenger, mountHook, RenderVideo } from "../../support/react.ts";
import { createMessengerClient, MessengerError } from "../../../client/mod.ts";
import { useJob, type UseJobOptions } from "../../../client/react/mod.ts";
import type { MemoryProject } from "../../support/memory_project.ts";

const lookAgain = () => globalThis.dispatchEvent(new Event("focus"));
const idOf = ({ job }: ReturnType<typeof useJob>) => job?.id;

/** The ids that a reload would find. */
function storedIds(): unknown {
  return JSON.parse(sessionStorage.getItem("symphony-messenger") ?? "{}").ids;
}

/** The client of a page that has just been loaded. */
const reload = (supabase: MemoryProject) => ({
  messenger: createMessengerClient(supabase, { live: false, retries: 0 }),
});

/** A page that has just been loaded, with a client of its own, and that knows its user. */
async function load(supabase: MemoryProject, options?: UseJobOptions) {
  const { messenger } = reload(supabase);
  const known = Promise.withResolvers<void>();
  messenger.session.subscribe(() => known.resolve());
  const page = await mountHook(messenger, () => useJob(RenderVideo, options));
  await deadline(known.promise, 10_000);
  return page;
}

/** The page of a user, with a job that it has dispatched and seen. */
async function withJob(options?: UseJobOptions) {
  sessionStorage.clear();
  const { supabase } = fakeMessenger();
  const page = await load(supabase, options);
  await page.current.dispatch({ video: 1 });
  await page.until(({ message }) => message !== undefined);
  return { supabase, page };
}

Deno.test("a job is pending from the click to its end", async () => {
  const { supabase, page } = await withJob();
  assertEquals([page.current.isPending, idOf(page.current)], [true, "1"]);
  const availableAt = new Date(Date.now() + 60_000).toISOString();
  supabase.change("1", { status: "retrying", attempt: 1, availableAt });
  lookAgain();
  const { message } = await page.until(({ message }) => message?.status === "retrying");
  assertEquals(message?.availableAt, availableAt);
  supabase.change("1", { status: "handled", attempt: 2 });
  lookAgain();
  await page.until(({ message }) => message?.status === "handled");
  assertEquals(page.current.isPending, false);
  page.unmount();
});

Deno.test("a reload continues, and does not dispatch again", async () => {
  const { supabase, page } = await withJob();
  page.unmount();
  supabase.names();
  const reloaded = await load(supabase);
  const { job } = await reloaded.until(({ message }) => message?.id === "1");
  assertEquals([job?.id, supabase.asked()], ["1", ["1"]]);
  reloaded.unmount();
});

Deno.test("a user who signs out takes the job along, also after a reload", async () => {
  const { supabase, page } = await withJob();
  supabase.sign(null);
  await page.until(({ job }) => job === undefined);
  assertEquals([page.current.message, page.current.isPending], [undefined, false]);
  supabase.sign("ada");
  page.unmount();
  assertEquals(storedIds(), {});
});

Deno.test("a job that a hidden component has stored is forgotten at sign-out as well", async () => {
  const { supabase, page } = await withJob({ storageKey: "hidden" });
  page.unmount();
  const other = await load(supabase, { storageKey: "other" });
  await other.current.dispatch({ video: 2 });
  await other.until(({ message }) => message?.id === "2");
  assertEquals(storedIds(), { hidden: "1", other: "2" });
  supabase.sign(null);
  await other.until(({ job }) => job === undefined);
  assertEquals(storedIds(), {});
  other.unmount();
});

Deno.test("another user does not see the job, and after their visit it is gone", async () => {
  const { supabase, page } = await withJob();
  page.unmount();
  supabase.sign("bob");
  supabase.names();
  const bobs = await load(supabase, { storageKey: "bobs" });
  await bobs.current.dispatch({ video: 2 });
  await bobs.until(({ message }) => message?.id === "2");
  assertEquals(storedIds(), { bobs: "2" });
  bobs.unmount();
});

Deno.test("a reload continues once the page knows its user", async () => {
  const { supabase, page } = await withJob();
  page.unmount();
  const { messenger } = reload(supabase);
  const reloaded = await mountHook(messenger, () => useJob(RenderVideo));
  assertEquals(idOf(reloaded.current), undefined);
  await reloaded.until(({ message }) => message?.id === "1");
  reloaded.unmount();
});

Deno.test("a visit of another user who dispatches nothing takes the job along", async () => {
  const { supabase, page } = await withJob();
  page.unmount();
  supabase.sign("bob");
  const bobs = await load(supabase);
  bobs.unmount();
  assertEquals(storedIds(), {});
});

Deno.test("a dispatch that ends after its user has left stores nothing", async () => {
  const { supabase, page } = await withJob();
  const answer = Promise.withResolvers<void>();
  supabase.held = answer.promise;
  const dispatched = page.current.dispatch({ video: 2 });
  supabase.sign("bob");
  await page.until(({ job, isPending }) => !job && !isPending);
  answer.resolve();
  await dispatched;
  assertEquals([idOf(page.current), storedIds()], [undefined, {}]);
  page.unmount();
});

Deno.test("a job that is dispatched before the page knows its user is the user's", async () => {
  sessionStorage.clear();
  const { supabase, messenger } = fakeMessenger();
  const page = await mountHook(messenger, () => useJob(RenderVideo));
  page.current.dispatch({ video: 1 });
  await page.until(({ message }) => message?.id === "1");
  assertEquals(storedIds(), { RenderVideo: "1" });
  supabase.sign("bob");
  await page.until(({ job }) => job === undefined);
  assertEquals(storedIds(), {});
  page.unmount();
});

Deno.test("two storage keys are two jobs at once", async () => {
  const { supabase, page } = await withJob({ storageKey: "a" });
  const other = await load(supabase, { storageKey: "b" });
  await other.current.dispatch({ video: 2 });
  await other.until(({ message }) => message?.id === "2");
  assertEquals(idOf(page.current), "1");
  page.unmount();
  other.unmount();
});

for (const storageKey of ["constructor", "__proto__", "toString"]) {
  Deno.test(`a job may be stored under the key ${storageKey}`, async () => {
    sessionStorage.clear();
    const { supabase } = fakeMessenger();
    const first = await load(supabase, { storageKey });
    assertEquals([first.current.job, first.current.isPending], [undefined, false]);
    await first.current.dispatch({ video: 1 });
    await first.until(({ message }) => message?.id === "1");
    first.unmount();
    const page = await load(supabase, { storageKey });
    assertEquals(idOf(page.current), "1");
    page.unmount();
  });
}

Deno.test("a second dispatch is followed in the place of the first", async () => {
  const { page } = await withJob();
  const promise = page.current.dispatch({ video: 2 });
  await page.until(({ message, isPending }) => message === undefined && isPending);
  await promise;
  await page.until(({ message }) => message?.id === "2");
  page.unmount();
});

Deno.test("cancel cancels the message, and its failure is in the state", async () => {
  const { supabase, page } = await withJob();
  await page.current.cancel();
  await page.until(({ message }) => message?.status === "cancelled");
  assertEquals(page.current.isPending, false);
  supabase.lost = 1;
  await assertRejects(() => page.current.cancel(), MessengerError);
  await page.until(({ error }) => error?.code === "unavailable");
  page.unmount();
});

Deno.test("reset forgets the job", async () => {
  const { page } = await withJob();
  page.current.reset();
  await page.until(({ job }) => job === undefined);
  assertEquals([page.current.message, storedIds()], [undefined, {}]);
  await page.current.cancel(); // nothing to cancel
  page.unmount();
});

Deno.test("a failed dispatch is an error, and the next click repeats it", async () => {
  sessionStorage.clear();
  const { supabase } = fakeMessenger();
  const page = await load(supabase);
  supabase.lost = 1;
  page.current.dispatch({ video: 1 });
  await page.until(({ error }) => error?.code === "unavailable");
  await page.current.dispatch({ video: 1 });
  await page.until(({ message }) => message?.id === "1");
  assertEquals(supabase.messages.size, 1);
  page.unmount();
});

Deno.test("a job that is gone when the page is loaded again is no error", async () => {
  const { supabase, page } = await withJob();
  page.unmount();
  supabase.messages.delete("1");
  const reloaded = await load(supabase);
  await reloaded.until(({ isPending }) => isPending);
  await reloaded.until(({ job }) => job === undefined);
  assertEquals([reloaded.current.error, reloaded.current.isPending], [undefined, false]);
  reloaded.unmount();
});

Deno.test("where sessionStorage is blocked, a job lives as long as the page", async () => {
  const storage = Object.getOwnPropertyDescriptor(globalThis, "sessionStorage") ?? {};
  Object.defineProperty(globalThis, "sessionStorage", {
    configurable: true,
    get() {
      throw new DOMException("denied", "SecurityError");
    },
  });
  try {
    const { supabase } = fakeMessenger();
    const page = await load(supabase);
    await page.current.dispatch({ video: 1 });
    await page.until(({ message }) => message?.id === "1");
    supabase.sign(null);
    await page.until(({ job }) => job === undefined);
    page.unmount();
  } finally {
    Object.defineProperty(globalThis, "sessionStorage", storage);
  }
});
