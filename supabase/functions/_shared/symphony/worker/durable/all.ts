/**
 * `ctx.all`: dispatches children as a batch, and parks the message until all of them have ended. The fold that ends
 * the batch makes the message due again.
 */

import type { MessageBus } from "../../bus/bus.ts";
import type { ChildMessage } from "../../message/child-messages.ts";
import type { MemberResult } from "../../message/dispatched-batch.ts";
import type { Envelope, OutgoingMessage } from "../../message/envelope.ts";
import { DurableUsageError, UnrecoverableError } from "../../message/errors.ts";
import { readProperty, showValue } from "../../runtime/inspect.ts";
import { checkNames } from "../../runtime/option-names.ts";
import type { AttemptSpan } from "../../tracing/attempt-span.ts";
import type { RunningStep } from "./durable-call.ts";
import type { DurableRun } from "./durable-run.ts";
import { refusing } from "./usage-error.ts";
import { againOf, batchKey, checkStepText } from "./numbering.ts";

/** The largest number of children. */
const MAX_CHILDREN = 1_000;
/** After this time the message looks at its children by itself, in ms. */
const LOOK_AFTER_MS = 3_600_000;
/** Failed children that an error names. */
const MAX_NAMED = 5;
/** Options that would let a dispatch return another message's id. */
const KEYS = ["idempotencyKey", "idempotencyScope", "dedupeKey", "dedupe"] as const;

/** The parts that a call needs. */
interface Parts {
  readonly bus: MessageBus;
  readonly envelope: Envelope;
  /** The attempt's, whose trace the children belong to. */
  readonly span: AttemptSpan | undefined;
}

/** Makes the call of `ctx.all`. @throws DurableUsageError for children that cannot be dispatched so */
export async function all(
  durable: () => DurableRun,
  parts: Parts,
  name: string,
  children: readonly ChildMessage[],
  options: { readonly key?: string } = {},
): Promise<unknown[]> {
  checkStepText(name, "ctx.all: name");
  const label = `ctx.all ${showValue(name)}`;
  checkNames(options, ["key"], `${label}: `);
  if (options.key !== undefined) checkStepText(options.key, `${label}: key`);
  if (!Array.isArray(children) || children.length > MAX_CHILDREN) {
    throw new DurableUsageError(
      `${label}: has to get an array of at most ${MAX_CHILDREN} children, [definition, payload] each`,
    );
  }
  const wrong = children.findIndex((child: unknown) =>
    !Array.isArray(child) || typeof readProperty(child[0], "type") !== "string"
  );
  if (wrong !== -1) {
    throw new DurableUsageError(
      `${label}: child ${wrong + 1}: has to be [definition, payload] (was ${
        showValue(children[wrong])
      })`,
    );
  }
  const { key } = options;
  const call = { kind: "all", name, ...(key !== undefined && { key }), label } as const;
  const results = await durable().run(call, (step) => childrenEnd(step, parts, label, children));
  return results as unknown[];
}

/** Dispatches the children once, and parks the message until they have ended. */
async function childrenEnd(
  step: RunningStep,
  parts: Parts,
  label: string,
  children: readonly ChildMessage[],
): Promise<unknown[]> {
  const { stored, identity, park } = step;
  const known = readProperty(stored?.details, "batch");
  const batch = typeof known === "string" ? known : await dispatch(step, parts, label, children);
  const { known: isKnown, finished, results = [] } = await parts.bus.batchResults(batch);
  if (!isKnown) {
    throw new UnrecoverableError(`${label}: the batch ${batch} of its children is gone`);
  }
  if (finished) return read(results, label);
  const again = againOf(stored?.details);
  const details = { batch, ...(again !== undefined && { again }) };
  const pending = { ...identity, kind: "all", status: "pending", details } as const;
  return await park({ delayMs: LOOK_AFTER_MS, step: pending });
}

/** Dispatches the children. The step's key makes a repeated call find them. */
async function dispatch(
  { key, identity: { name }, stored }: RunningStep,
  { bus, envelope, span }: Parts,
  label: string,
  children: readonly ChildMessage[],
): Promise<string> {
  const messages: OutgoingMessage[] = [];
  for (const [index, child] of children.entries()) {
    const [definition, payload, options] = child;
    const place = `${label}: child ${index + 1}`;
    const given = { type: definition.type, payload, ...(options !== undefined && { options }) };
    const message = await refusing(() => bus.prepare(given), `${place}: `);
    check(message, envelope, place);
    messages.push(span?.adopt(message) ?? message);
  }
  const own = { parentId: envelope.id, keepsResults: true, idempotencyScope: "messenger.all" };
  const head = await bus.prepareBatch(
    { name, idempotencyKey: batchKey(key, envelope.stamps, stored?.details) },
    own,
  );
  return (await bus.writeBatch({ head, messages, chunk: 1, isLast: true })).id;
}

function check(message: OutgoingMessage, { queue, groupKey }: Envelope, label: string): void {
  const held = KEYS.find((option) => message[option] !== undefined);
  if (held !== undefined) {
    throw new DurableUsageError(`${label}: ${held}: cannot be given to a child`);
  }
  if (groupKey === null || message.groupKey !== groupKey) return;
  if ((message.queue ?? "default") !== queue) return;
  throw new DurableUsageError(
    `${label}: is in the queue ${showValue(queue)} and the group ${
      showValue(groupKey)
    } of its parent, ` +
      "which keeps its place in the group: the child would never start; give it another group or queue",
  );
}

/** The children's results. @throws UnrecoverableError that names the children that failed */
function read(results: readonly MemberResult[], label: string): unknown[] {
  const failed = results.filter(({ status }) => status !== "handled");
  if (failed.length === 0) return results.map(({ result }) => result);
  const named = failed.slice(0, MAX_NAMED).map(({ id, status, reason, error }) =>
    `${id} ${status}${reason ? ` (${reason})` : ""}${error ? `: ${error}` : ""}`
  );
  const more = failed.length > MAX_NAMED ? `; and ${failed.length - MAX_NAMED} more` : "";
  throw new UnrecoverableError(
    `${label}: ${failed.length} of ${results.length} children failed: ${named.join("; ")}${more}`,
  );
}
