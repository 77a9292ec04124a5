/** A page in the hands of a test: its clock, its timers, and its events. */

/** The clock and the events of a page, in place of the real ones until it is disposed of. */
export interface FakePage extends Disposable {
  /** Moves the clock, runs what is due in between, and lets promises settle. */
  advance(ms: number): Promise<void>;
  /** Lets promises settle. */
  settle(): Promise<void>;
  /** Tells the page's listeners. */
  fire(type: "online" | "offline" | "focus" | "visibilitychange"): void;
  /** The value of `navigator.onLine`. */
  isOnline: boolean;
  /** Timers that run, and listeners to the page's events. */
  readonly left: () => { timers: number; listeners: number };
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Takes over the clock, the timers and the page's events. */
export function fakePage(start = Date.parse("2026-11-24T10:00:00Z")): FakePage {
  const { setTimeout, clearTimeout, addEventListener, removeEventListener } = globalThis;
  const dateNow = Date.now;
  const timers = new Map<number, Timer>();
  const listeners = new Map<string, Set<(event: { type: string }) => void>>();
  let now = start;
  let id = 0;
  const navigator = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const page = { isOnline: true };

  Date.now = () => now;
  Object.assign(globalThis, {
    setTimeout: (run: () => void, ms = 0) => {
      timers.set(++id, { at: now + Math.max(ms, 0), run });
      return id;
    },
    clearTimeout: (id: number) => timers.delete(id),
    addEventListener: (
      type: string,
      listener: () => void,
      { signal }: { signal?: AbortSignal } = {},
    ) => {
      listeners.set(type, (listeners.get(type) ?? new Set()).add(listener));
      signal?.addEventListener("abort", () => listeners.get(type)?.delete(listener));
    },
    removeEventListener: (type: string, listener: () => void) =>
      listeners.get(type)?.delete(listener),
  });
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    get: () => ({ onLine: page.isOnline }),
  });

  const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
  const next = (until: number) => {
    const due = [...timers].filter(([, { at }]) => at <= until);
    return due.sort(([, one], [, other]) => one.at - other.at)[0];
  };
  return Object.assign(page, {
    settle,
    async advance(ms: number) {
      const until = now + ms;
      await settle();
      for (let due = next(until); due; due = next(until)) {
        timers.delete(due[0]);
        now = Math.max(now, due[1].at);
        due[1].run();
        await settle();
      }
      now = until;
    },
    fire(type: string) {
      for (const listener of [...listeners.get(type) ?? []]) listener({ type });
    },
    left: () => ({
      timers: timers.size,
      listeners: [...listeners.values()].reduce((sum, { size }) => sum + size, 0),
    }),
    [Symbol.dispose]() {
      Date.now = dateNow;
      Object.assign(globalThis, {
        ...{ setTimeout, clearTimeout, addEventListener, removeEventListener },
      });
      if (navigator) Object.defineProperty(globalThis, "navigator", navigator);
    },
  });
}
