/**
 * Everything that can be asked of the bus, by every kind of caller: they are answered what the table in
 * SECURITY.md says. A row of it that is not tested fails, as does an operation, a function or a table
 * that no row speaks of.
 */

import { assert, assertEquals } from "@std/assert";
import {
  type MatrixCaller,
  matrixCallers,
  readMatrix,
  ROLES,
  type Verdict,
} from "../support/access_matrix.ts";
import {
  batching,
  cancelling,
  changing,
  dispatching,
  emitting,
  following,
  functions,
  listing,
  listingBatches,
  managing,
  OPERATIONS,
  owning,
  type Probe,
  reachingBatches,
  redeeming,
  relations,
  ticking,
  withoutUser,
} from "../support/access_probes.ts";
import { contentOf } from "../support/content.ts";
import type { Document } from "../support/openapi_inputs.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const matrix = await readMatrix();
const document: Document = JSON.parse(
  await Deno.readTextFile(new URL("../../docs/openapi.json", import.meta.url)),
);

const text = { text: "x" };
const daily = { type: "cron", config: { cron: "@daily" } };

/** The caller whose own messages, schedules and batches the rows are about. */
const ofUser = (callers: readonly MatrixCaller[]) =>
  callers.filter(({ column }) => column === "user");

/** The request for each row of SECURITY.md's table. */
const ROWS: Record<
  string,
  (stack: TestStack, callers: readonly MatrixCaller[]) => Probe[] | Promise<Probe[]>
> = {
  'dispatch: access `"secret"`': (stack) =>
    dispatching(stack, () => ({ type: "Secret", payload: text })),
  'dispatch: access `"authenticated"`': (stack) =>
    dispatching(stack, () => ({ type: "Note", payload: text })),
  'dispatch: access `"anonymous"`': (stack) =>
    dispatching(stack, () => ({ type: "Open", payload: text })),
  "dispatch: a rule that says yes": (stack) =>
    dispatching(stack, () => ({ type: "Welcoming", payload: {} })),
  "dispatch: a rule that says no, or throws": (stack) =>
    ["another's", "throws"].flatMap((team) =>
      dispatching(stack, () => ({ type: "Ruled", payload: { team } }))
    ),
  "dispatch: an option not opened": (stack) =>
    [{ priority: 9 }, { queue: "mail" }, { groupKey: "g" }].flatMap((option) =>
      dispatching(stack, () => ({ type: "Open", payload: text, ...option }))
    ),
  "dispatch: an idempotency key": (stack) =>
    dispatching(stack, () => ({
      type: "Open",
      payload: text,
      idempotencyKey: crypto.randomUUID(),
    })),
  "dispatch: a schedule, where opened": (stack) =>
    dispatching(stack, () => ({ type: "Open", payload: text, schedule: daily })),
  "dispatch: a schedule with a name": (stack) =>
    dispatching(stack, () => ({
      type: "Open",
      payload: text,
      schedule: { ...daily, name: "ours" },
    })),
  "dispatch: messages of one's own": listing,
  "dispatch: schedules of one's own": owning,
  "dispatch: a schedule of that user": (stack, callers) => changing(stack, ofUser(callers)),
  "follow: a message of that user": (stack, callers) => following(stack, ofUser(callers)),
  "follow: a backend's or visitor's": (stack) => following(stack, withoutUser(stack)),
  "cancel: of that user, where opened": (stack, callers) =>
    cancelling(
      stack,
      { type: "Open", payload: text, delay: "1h" },
      ofUser(callers),
    ),
  "cancel: of that user, not opened": (stack, callers) =>
    cancelling(
      stack,
      { type: "Note", payload: text },
      ofUser(callers),
    ),
  "cancel: a backend's or visitor's": (stack) =>
    cancelling(stack, { type: "Open", payload: text, delay: "1h" }, withoutUser(stack)),
  'batch: access `"secret"`': (stack) => batching(stack, { type: "Secret", payload: text }),
  'batch: access `"authenticated"`': (stack) => batching(stack, { type: "Note", payload: text }),
  "batch: of that user": (stack, callers) =>
    reachingBatches(
      stack,
      "GET",
      { type: "Note" },
      ofUser(callers),
    ),
  "batch: batches of one's own": listingBatches,
  "batch: a cancel of that user's, where opened": (stack, callers) =>
    reachingBatches(
      stack,
      "DELETE",
      { type: "Open", delay: "1h" },
      ofUser(callers),
    ),
  "batch: a cancel of that user's, not opened": (stack, callers) =>
    reachingBatches(
      stack,
      "DELETE",
      { type: "Note" },
      ofUser(callers),
    ),
  'event: access `"secret"`': (stack) => emitting(stack, "internal"),
  'event: access `"authenticated"`': (stack) => emitting(stack, "signed"),
  'event: access `"anonymous"`': (stack) => emitting(stack, "open:1"),
  "event: a rule that says yes": (stack) => emitting(stack, "welcoming"),
  "event: a rule that says no": (stack) => emitting(stack, "approved:42"),
  "event: one that is not declared": (stack) => emitting(stack, "nowhere"),
  "event: a token": (stack) => redeeming(stack, ""),
  "event: a forged token": (stack) => redeeming(stack, "x"),
  tick: ticking,
  "messenger: every GET": (stack) => managing(stack, document, "reads"),
  "messenger: every change": (stack) => managing(stack, document, "changes"),
  "messenger: setup": (stack) => managing(stack, document, "setup"),
  "every table and view": relations,
  "every SQL function": functions,
};

/** The cell of the table that a response amounts to. */
async function verdict(response: Response): Promise<Verdict> {
  const body = await response.text();
  const { status } = response;
  if (response.ok || hasRun(body)) return "yes";
  if (status === 401 || status === 403 || status === 404) return `${status}`;
  throw new Error(`${status} ${body}`);
}

/** Whether an SQL function itself has refused its arguments, which all are null: so it was run. */
function hasRun(body: string): boolean {
  const { code = "" }: { code?: string } = body.startsWith("{") ? JSON.parse(body) : {};
  return /^(PT4|2[0-9A-Z]|P0)/.test(code);
}

testsOnStack({ env: ROLES }, (test) => {
  for (const [row, expected] of matrix) {
    test(`${row}: each caller is answered as SECURITY.md says`, async (stack) => {
      const callers = await matrixCallers(stack);
      // So that the bus is healthy.
      await stack.tick();
      const probes = await ROWS[row]?.(stack, callers) ?? [];
      assert(probes.length > 0, "nothing is asked for this row");
      assertEquals(new Set(callers.map(({ column }) => column)), new Set(expected.keys()));
      const isAllowed = ({ column }: MatrixCaller) => expected.get(column) === "yes";
      for (const { name, prepare } of probes) {
        const told = async (caller: MatrixCaller, send: Awaited<ReturnType<typeof prepare>>) => {
          const said = await verdict(await send(caller.headers));
          assertEquals([name, caller.name, said], [name, caller.name, expected.get(caller.column)]);
        };
        const send = await prepare();
        const before = await contentOf(stack);
        for (const caller of callers) if (!isAllowed(caller)) await told(caller, send);
        assertEquals(await contentOf(stack), before, `${name}: a refusal has written something`);
        for (const caller of callers) if (isAllowed(caller)) await told(caller, await prepare());
      }
    });
  }

  test("every row of SECURITY.md is asked for, and nothing beside them", () => {
    assertEquals(Object.keys(ROWS), [...matrix.keys()]);
    return Promise.resolve();
  });

  test("every function of the project and every operation of the API has its row", async () => {
    const folder = new URL("../../supabase/functions/", import.meta.url);
    const deployed = [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter((name) => /^[a-z]/.test(name));
    const rows = [...matrix.keys()].map((row) => row.split(":")[0]?.replace("follow", "dispatch"));
    assertEquals(deployed.filter((name) => !rows.includes(name)), []);
    const known = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId)
    );
    assertEquals(known.toSorted(), Object.keys(OPERATIONS).toSorted());
    await Promise.resolve();
  });
});
