/** The durable side of the transport in memory: steps, SQL functions, events, and effects. */

import type { Effects } from "../message/effects.ts";
import type { EventRead, EventReads } from "./event-reads.ts";
import { checkTexts } from "./memory-checks.ts";
import { endsWait, MemoryEvents } from "./memory-events.ts";
import { MemoryFunctions } from "./memory-functions.ts";
import { afterStep, type Row } from "./memory-rows.ts";
import { MemorySteps } from "./memory-steps.ts";
import { type MemoryOptions, MemoryStore } from "./memory-store.ts";
import type {
  EffectRequest,
  EffectResult,
  LeaseAnswer,
  LoadedSteps,
  StepsRequest,
  StepsToSave,
} from "./durable-store.ts";
import type { Transport } from "./transport.ts";

/** Keeps what durable handlers store. */
export abstract class MemoryDurable extends MemoryStore {
  /** Durable steps of messages. */
  readonly steps = new MemorySteps();
  /** Events, and the messages that wait for them. */
  readonly events: MemoryEvents;
  /** Functions in the place of SQL functions, for `ctx.effect`. */
  readonly functions = new MemoryFunctions();

  constructor(options: MemoryOptions = {}) {
    super(options);
    this.events = new MemoryEvents(this.now, (id) => this.wakeUp(id));
  }

  loadSteps(requests: readonly StepsRequest[]): Promise<LoadedSteps> {
    const now = this.now();
    const held = requests.filter(({ id, leaseToken }) => this.leased(id, leaseToken));
    const steps = held.map(({ id, step }) => [id, this.steps.load(id, now, step)]);
    for (const { id } of held) this.events.forget(id);
    return Promise.resolve({
      steps: Object.fromEntries(steps),
      installation: this.steps.installation,
      ...this.#told(requests),
    });
  }

  // deno-lint-ignore require-await -- an error must reject the promise
  async saveSteps(saves: readonly StepsToSave[]): Promise<LeaseAnswer> {
    checkTexts("saveSteps", saves);
    const dispatched = saves.flatMap(({ steps }) =>
      steps.flatMap(({ effects }) => effects?.messages.map(({ message }) => message) ?? [])
    );
    this.check(dispatched);
    for (const { id, leaseToken, version, steps } of saves) {
      const row = this.leased(id, leaseToken);
      if (!row) continue;
      for (const step of steps) {
        if (!this.steps.save(id, step, this.now())) continue;
        this.writeEffects(step.effects);
      }
      if (steps.some(endsWait)) this.events.forget(id);
      row.envelope = afterStep(row.envelope, version);
    }
    return this.#told(saves);
  }

  async effect(request: EffectRequest): Promise<EffectResult> {
    const { id, leaseToken, version, step, function: name, args } = request;
    const row = this.leased(id, leaseToken);
    if (!row) return { stale: true };
    if (row.cancelled) return { cancelled: true };
    const [known] = this.steps.load(id, this.now(), step);
    if (known?.status === "done") return "result" in known ? { result: known.result } : {};
    const result = await this.functions.call(name, args);
    const after = this.leased(id, leaseToken);
    if (!after) return { stale: true };
    const done = { ...step, kind: "effect", status: "done" } as const;
    const stored = { ...done, ...(result !== undefined && { result }) };
    await this.saveSteps([{ id, leaseToken, version, steps: [stored] }]);
    return {
      ...(result !== undefined && { result }),
      ...(after.cancelled && { cancelled: true } as const),
    };
  }

  // deno-lint-ignore require-await -- an error must reject the promise
  async emit(
    ...[event, value, token, limits = []]: Parameters<Transport["emit"]>
  ): Promise<string> {
    this.count(limits);
    return this.events.emit(event, value, token);
  }

  readEvents(reads: readonly EventRead[]): Promise<EventReads> {
    const held = reads.filter(({ id, leaseToken }) => {
      const row = this.leased(id, leaseToken);
      return row && !row.cancelled;
    });
    return Promise.resolve({ ...this.events.read(held), ...this.#told(reads) });
  }

  /** The part of an answer that is about the leases which the call names. */
  #told(leases: readonly { readonly id: string; readonly leaseToken: string }[]): LeaseAnswer {
    const rows = leases.map(({ id, leaseToken }) => ({ id, row: this.leased(id, leaseToken) }));
    const cancelled = rows.filter(({ row }) => row?.cancelled).map(({ id }) => id);
    return {
      stale: rows.filter(({ row }) => !row).map(({ id }) => id),
      ...(cancelled.length > 0 && { cancelled }),
    };
  }

  /** Makes a message that waits due. One that runs reads the events itself. */
  protected wakeUp(id: string): void {
    const row = this.rows.get(id);
    const now = this.now();
    if (!row || row.leasedUntil !== null || row.envelope.availableAt.getTime() <= now) return;
    row.envelope = { ...row.envelope, availableAt: new Date(now) };
  }

  /** Writes what is written with an outcome or a step. */
  protected writeEffects(effects: Effects | undefined): void {
    for (const { id, message } of effects?.messages ?? []) this.insert(message, id);
    for (const { event, value } of effects?.emits ?? []) this.events.emit(event, value);
  }

  /** The row of a message, if its lease is this one. */
  protected leased(id: string, token: string): Row | undefined {
    const row = this.rows.get(id);
    return row && row.leasedUntil !== null && row.envelope.leaseToken === token ? row : undefined;
  }
}
