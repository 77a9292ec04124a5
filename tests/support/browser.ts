/** Chromium for tests, and what a page of it leaves open. */

import { type Browser, chromium, type Locator, type Page } from "playwright-core";

/** Where Debian installs it. */
export const CHROMIUM = "/usr/bin/chromium";
/** Tests in a browser are left out if there is none. */
export const hasChromium: boolean = await Deno.stat(CHROMIUM).then(() => true, () => false);

/** Without any connection of the browser's own; playwright makes an empty profile. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts it; the caller closes it. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** Waits until something that matches is in sight; a page that shows it at two places for a moment, is right too. */
export function seen(found: Locator): Promise<void> {
  return found.first().waitFor();
}

/** Everything that a page has open: timers that run, sockets, and listeners of window and document by event. */
export interface Open {
  readonly timeouts: number;
  readonly intervals: number;
  readonly sockets: readonly string[];
  readonly listeners: Readonly<Record<string, number>>;
}

/** Counts what a page opens from now on; to be called before it is loaded. */
export async function countOpen(page: Page): Promise<void> {
  await page.addInitScript({ content: COUNTER });
}

/** Tells what a page has open. */
export function openIn(page: Page): Promise<Open> {
  return page.evaluate("counted()");
}

/** Runs in the page, before any script of its own. */
const COUNTER = `{
  const timeouts = new Set();
  const intervals = new Set();
  const sockets = new Set();
  const listeners = new Map();
  const { setTimeout, clearTimeout, setInterval, clearInterval, WebSocket } = window;
  window.setTimeout = (callback, ...rest) => {
    const id = setTimeout((...args) => {
      timeouts.delete(id);
      callback(...args);
    }, ...rest);
    timeouts.add(id);
    return id;
  };
  window.setInterval = (...args) => {
    const id = setInterval(...args);
    intervals.add(id);
    return id;
  };
  // Either of the two ends both kinds.
  window.clearTimeout = window.clearInterval = (id) => {
    timeouts.delete(id);
    intervals.delete(id);
    clearTimeout(id);
  };
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.add(this);
      this.addEventListener("close", () => sockets.delete(this));
    }
  };
  for (const target of [window, document]) {
    const { addEventListener, removeEventListener } = target;
    target.addEventListener = (type, listener, options) => {
      if (options?.once) return addEventListener.call(target, type, listener, options);
      if (!listeners.has(type)) listeners.set(type, new Set());
      listeners.get(type).add(listener);
      options?.signal?.addEventListener("abort", () => listeners.get(type).delete(listener));
      addEventListener.call(target, type, listener, options);
    };
    target.removeEventListener = (type, listener, options) => {
      listeners.get(type)?.delete(listener);
      removeEventListener.call(target, type, listener, options);
    };
  }
  window.counted = () => ({
    timeouts: timeouts.size,
    intervals: intervals.size,
    sockets: [...sockets].map(({ url }) => new URL(url).pathname).sort(),
    listeners: Object.fromEntries([...listeners].map(([type, { size }]) => [type, size]).sort()),
  });
}`;
