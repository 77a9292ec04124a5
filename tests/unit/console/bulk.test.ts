/** Changes of many messages: counted first, taken in steps, stopped, and continued after a reload. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  afterAnswer,
  beginning,
  boundedBy,
  type BulkAction,
  type BulkAnswer,
  type BulkCount,
  IDS_IN_REQUEST,
  shareOf,
} from "../../../console/bulk/bulk-action.ts";
import {
  type BulkParts,
  BulkRunner,
  countBulk,
  countFromNow,
} from "../../../console/bulk/bulk-runner.ts";
import { storedBulk } from "../../../console/bulk/bulk-store.ts";

const ACTION: BulkAction = {
  verb: "redrive",
  title: "dead letters with type EmailMessage",
  body: { type: "EmailMessage" },
  ids: null,
};
const TOTAL = { count: 30, capped: false };

/** A tab whose requests change up to ten of thirty messages each. */
class Tab {
  readonly requests: { path: string; body: Record<string, unknown> }[] = [];
  readonly stored = new Map<string, string>();
  readonly pauses: number[] = [];
  /** Called before a request is answered. */
  before: (request: number) => Promise<void> | void = () => {};
  left = 30;
  /** The database's time. */
  readonly now = "2031-01-01T00:00:00Z";
  /** Whether a dry run counts all that are left at once. */
  counts = false;

  runner(operator = "ada"): BulkRunner {
    const runner = new BulkRunner(this.parts);
    runner.enter(operator);
    return runner;
  }

  get parts(): BulkParts {
    return {
      send: async (path, body) => {
        this.requests.push({ path, body: body as Record<string, unknown> });
        await this.before(this.requests.length);
        return this.answer(body as Record<string, unknown>);
      },
      now: () => Promise.resolve(this.now),
      isPassing: (error) => String(error).includes("503"),
      pause: (ms) => Promise.resolve(void this.pauses.push(ms)),
      storage: {
        getItem: (key) => this.stored.get(key) ?? null,
        setItem: (key, value) => void this.stored.set(key, value),
        removeItem: (key) => void this.stored.delete(key),
      },
    };
  }

  answer({ dryRun, cursor, ids }: Record<string, unknown>): BulkAnswer {
    const matched = Array.isArray(ids) ? ids.length : Math.min(10, this.left);
    if (dryRun && this.counts) {
      return { matched: this.left, done: 0, running: 0, missing: [], next: null };
    }
    if (dryRun) {
      return { matched: 10, done: 0, running: 0, missing: [], next: cursor === "2" ? null : "2" };
    }
    this.left -= matched;
    const next = this.left > 0 && !Array.isArray(ids) ? String(this.left) : null;
    return { matched, done: matched, running: 0, missing: [], next };
  }
}

Deno.test("a filter is counted by dry runs before anything changes", async () => {
  const tab = new Tab();
  const counts: BulkCount[] = [];
  const { signal } = new AbortController();
  await countBulk(tab.parts, ACTION, (count) => counts.push(count), signal);
  assertEquals(counts, [{ count: 10, capped: true }, { count: 20, capped: false }]);
  assert(tab.requests.every(({ body }) => body["dryRun"] === true && body["type"]));
});

Deno.test("the first request of a count takes one step, and the next ones have time for more", async () => {
  const tab = new Tab();
  const { signal } = new AbortController();
  await countBulk(tab.parts, ACTION, () => {}, signal);
  assertEquals(tab.requests.map(({ body }) => body["budgetMs"]), [0, 500]);
});

Deno.test("a filter means the messages up to the moment at which the operator asked", () => {
  const until = "2026-11-27T12:00:00.000Z";
  const bodyOf = (action: Partial<BulkAction>) => boundedBy({ ...ACTION, ...action }, until).body;
  assertEquals(bodyOf({}), { type: "EmailMessage", failedUntil: until });
  assertEquals(bodyOf({ body: { all: true } }), { failedUntil: until });
  assertEquals(bodyOf({ body: { failedUntil: "2026-01-01" } }), { failedUntil: "2026-01-01" });
  assertEquals(bodyOf({ body: { failedUntil: "2027-01-01" } }), { failedUntil: until });
  assertEquals(bodyOf({ verb: "cancel", body: { all: true } }), { createdUntil: until });
  assertEquals(bodyOf({ ids: ["1"], body: {} }), {});
});

Deno.test("webhooks are sent again up to the moment at which the operator asked", () => {
  const action: BulkAction = { verb: "resend", title: "", body: { all: true }, ids: null };
  assertEquals(boundedBy(action, "2031-01-01T00:00:00Z").body, {
    sentUntil: "2031-01-01T00:00:00Z",
  });
  const progress = beginning(action, TOTAL, "ada");
  const answer = { matched: 20, done: 12, missing: [], next: null };
  const { done, running, state } = afterAnswer(progress, answer);
  assertEquals([done, running, state], [12, 0, "ended"]);
});

Deno.test("a change is bounded by the database's time, whatever the browser's clock says", async () => {
  const tab = new Tab();
  const { signal } = new AbortController();
  let counted: BulkAction | undefined;
  await countFromNow(tab.parts, ACTION, (_, action) => counted = action, signal);
  const body = { type: "EmailMessage", failedUntil: tab.now };
  assertEquals(counted?.body, body);
  assertEquals(tab.requests[0]?.body, { ...body, dryRun: true, budgetMs: 0 });
});

Deno.test("a change of the outbox has no end in time, and keeps that it means all", async () => {
  const tab = new Tab();
  const action: BulkAction = { ...ACTION, verb: "cancelOutbox", body: { all: true } };
  assertEquals(boundedBy(action, tab.now), action);
  const progress = beginning(action, TOTAL, "ada");
  assertEquals(afterAnswer(progress, { matched: 30, done: 28, next: null }), {
    ...progress,
    ...{ done: 28, missing: 0, state: "ended" },
  });
  tab.before = () => runner.stop();
  const runner = tab.runner();
  await runner.start(action, TOTAL);
  assertEquals(tab.requests[0]?.path, "/outbox/cancel");
  assertEquals(tab.runner().progress?.action.verb, "cancelOutbox");
});

Deno.test("steps are taken with the cursor of the one before, to the end", async () => {
  const tab = new Tab();
  const runner = tab.runner();
  const shares: (number | null)[] = [];
  runner.subscribe(() => shares.push(runner.progress && shareOf(runner.progress)));
  await runner.start(ACTION, TOTAL);
  assertEquals(tab.requests.map(({ body }) => body["cursor"]), [undefined, "20", "10"]);
  assertEquals(tab.requests[0]?.path, "/failed-messages/redrive");
  assertEquals(shares, [0, 1 / 3, 2 / 3, 1]);
  assertEquals([runner.progress?.state, runner.progress?.done], ["ended", 30]);
});

Deno.test("a selection is changed in parts", async () => {
  const tab = new Tab();
  const runner = tab.runner();
  const ids = Array.from({ length: IDS_IN_REQUEST + 1 }, (_, index) => String(index));
  await runner.start({ ...ACTION, verb: "cancel", body: {}, ids }, TOTAL);
  assertEquals(tab.requests.map(({ body }) => (body["ids"] as string[]).length), [
    IDS_IN_REQUEST,
    1,
  ]);
  assertEquals([runner.progress?.state, runner.progress?.done], ["ended", ids.length]);
});

Deno.test("a stop takes effect after the step that is under way, and can be continued", async () => {
  const tab = new Tab();
  const runner = tab.runner();
  tab.before = () => runner.stop();
  await runner.start(ACTION, TOTAL);
  assertEquals([runner.progress?.state, runner.progress?.done], ["stopped", 10]);
  tab.before = () => {};
  await runner.resume();
  assertEquals(tab.requests.map(({ body }) => body["cursor"]), [undefined, "20", "10"]);
  assertEquals([runner.progress?.state, runner.progress?.done], ["ended", 30]);
});

Deno.test("after a reload a change waits for the operator, and continues where it was", async () => {
  const tab = new Tab();
  const page = tab.runner();
  const { promise: never } = Promise.withResolvers<void>();
  const { promise: inFlight, resolve } = Promise.withResolvers<void>();
  tab.before = (request) => {
    if (request < 2) return;
    resolve();
    return never;
  };
  void page.start(ACTION, TOTAL);
  await inFlight;

  tab.before = () => {};
  const reloaded = tab.runner();
  assertEquals([reloaded.progress?.state, reloaded.progress?.done], ["interrupted", 10]);
  assertEquals(reloaded.progress?.isShort, true);
  // The step whose answer was lost had been done.
  tab.left = 10;
  tab.counts = true;
  await reloaded.resume();
  const [last, count] = tab.requests.slice(-2).map(({ body }) => body);
  assertEquals([last?.["cursor"], count?.["cursor"], count?.["dryRun"]], ["20", undefined, true]);
  const { state, done, isShort } = reloaded.progress ?? {};
  assertEquals({ state, done, isShort }, { state: "ended", done: 30, isShort: false });
});

Deno.test("after a reload a change is not offered to another operator, nor before it is known who operates", async () => {
  const tab = new Tab();
  const runner = tab.runner();
  tab.before = () => runner.stop();
  await runner.start(ACTION, TOTAL);
  assertEquals(runner.progress?.state, "stopped");
  const unknown = new BulkRunner(tab.parts);
  assertEquals(unknown.progress, null);
  unknown.enter("ada");
  assertEquals([unknown.progress?.state, unknown.progress?.done], ["stopped", 10]);
  assertEquals(tab.runner("bob").progress, null);
  assertEquals(tab.runner("ada").progress, null);
});

Deno.test("a change that has ended or was dismissed is no longer offered", async () => {
  const tab = new Tab();
  const runner = tab.runner();
  await runner.start(ACTION, TOTAL);
  runner.dismiss();
  assertEquals(runner.progress, null);
  assertEquals(tab.runner().progress, null);
});

Deno.test("a database that does not answer is asked again", async () => {
  const tab = new Tab();
  const runner = tab.runner();
  tab.before = (request) => {
    if (request === 2) throw new Error("503");
  };
  await runner.start(ACTION, TOTAL);
  assertEquals([runner.progress?.state, tab.pauses], ["ended", [1000]]);
  assertEquals(runner.progress?.isShort, true);
});

Deno.test("an error that repetition does not mend ends it with its text, and loses nothing", async () => {
  const tab = new Tab();
  const runner = tab.runner();
  tab.before = (request) => {
    if (request === 2) throw new Error("Sign in again");
  };
  await runner.start(ACTION, TOTAL);
  const { state, problem, done, cursor } = runner.progress ?? {};
  assertEquals({ state, problem, done, cursor }, {
    state: "failed",
    problem: "Sign in again",
    done: 10,
    cursor: "20",
  });
  await runner.resume();
  assertEquals([runner.progress?.state, runner.progress?.done], ["ended", 30]);
});

Deno.test("a stop between two tries makes no further request", async () => {
  const tab = new Tab();
  const parts = tab.parts;
  const runner: BulkRunner = new BulkRunner({
    ...parts,
    pause: () => Promise.resolve(runner.stop()),
  });
  tab.before = () => {
    throw new Error("503");
  };
  await runner.start(ACTION, TOTAL);
  const { state, problem } = runner.progress ?? {};
  assertEquals([tab.requests.length, state, problem], [1, "stopped", "503"]);
});

Deno.test("a change that was interrupted is not replaced by another one before it is dismissed", async () => {
  const tab = new Tab();
  const runner = tab.runner();
  tab.before = () => runner.stop();
  await runner.start(ACTION, TOTAL);
  await assertRejects(() => runner.start(ACTION, TOTAL), Error, "dismiss");
  assertEquals(runner.progress?.done, 10);
  runner.dismiss();
  tab.before = () => {};
  await runner.start(ACTION, TOTAL);
  assertEquals(runner.progress?.state, "ended");
});

Deno.test("a change ends with its operator, and the next one finds nothing of it", async () => {
  const tab = new Tab();
  const runner = tab.runner();
  tab.before = (request) => request === 2 ? runner.leave() : undefined;
  await runner.start(ACTION, TOTAL);
  assertEquals([tab.requests.length, runner.progress, tab.stored.size], [2, null, 0]);
  tab.before = () => {};
  await runner.start(ACTION, TOTAL);
  assertEquals(runner.progress?.state, "ended");
});

Deno.test("two changes do not run at once", async () => {
  const tab = new Tab();
  const runner = tab.runner();
  const first = runner.start(ACTION, TOTAL);
  await assertRejects(() => runner.start(ACTION, TOTAL), Error, "another change");
  await first;
});

Deno.test("stored text that is no progress of a change is ignored", () => {
  const read = (text: string) =>
    storedBulk({ getItem: () => text, setItem: () => {}, removeItem: () => {} });
  for (const text of ["", "{", "null", "[]", '{"state":"working"}', '{"action":{"verb":"drop"}}']) {
    assertEquals(read(text), null);
  }
});
