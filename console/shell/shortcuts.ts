/** The keyboard: `g` and a letter go to a page, `/` to the filter, `j` and `k` through rows, Enter opens one. */

import { goTo, hrefTo } from "./router.tsx";
import { NAVIGATION } from "./navigation.ts";

/** Keys and their effects, for the list of shortcuts. */
export const SHORTCUTS: readonly (readonly [string, string])[] = [
  ...NAVIGATION.map(({ letter, title }) => [`g ${letter}`, title] as const),
  ["/", "Filter"],
  ["j  k", "Next and previous row"],
  ["x", "Select the row"],
  ["Enter", "Open the row"],
  ["p", "Pause or resume live updates"],
  ["?", "This list"],
  ["Esc", "Close"],
];

const KEY = "symphony-console-letters";

/** Whether keys without Ctrl or Alt do anything: speech input and a stray hand press them by accident. */
export function hasLetterKeys(): boolean {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

/** Turns them on or off, in this browser. */
export function setLetterKeys(areOn: boolean): void {
  try {
    if (areOn) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, "off");
  } catch {
    // Without a storage they stay on.
  }
}

/** How long `g` waits for its letter, in ms. */
const SEQUENCE_MS = 1_500;

/** Effects that belong to the shell. */
export interface ShortcutActions {
  readonly showHelp: () => void;
  readonly togglePause: () => void;
}

/** Listens to keys until the returned function is called. */
export function listenToKeys(actions: ShortcutActions): () => void {
  let goesUntil = 0;
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]") || !hasLetterKeys()) return;
    const { key } = event;
    if (performance.now() < goesUntil) {
      goesUntil = 0;
      const page = NAVIGATION.find(({ letter }) => letter === key);
      if (page) return act(event, () => goTo(hrefTo(page.path)));
    }
    if (key === "g") goesUntil = performance.now() + SEQUENCE_MS;
    else if (key === "/") act(event, focusFilter);
    else if (key === "j" || key === "k") act(event, () => moveRow(key === "j" ? 1 : -1));
    else if (key === "x") selectRow(event);
    else if (key === "p") act(event, actions.togglePause);
    else if (key === "?") act(event, actions.showHelp);
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

function act(event: KeyboardEvent, action: () => void): void {
  event.preventDefault();
  action();
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select"));
}

function focusFilter(): void {
  document.querySelector<HTMLElement>("[data-filter]")?.focus();
}

/** Rows of the page, in order: those of `DataTable`, and any other element with `data-row`. */
function moveRow(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]:not([inert] *)")];
  const current = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[current < 0 ? (by > 0 ? 0 : rows.length - 1) : current + by];
  const target = next?.querySelector<HTMLElement>("[data-row-link]") ??
    next?.querySelector<HTMLElement>("a, button, input");
  target?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function selectRow(event: KeyboardEvent): void {
  const row = document.activeElement?.closest("[data-row]");
  const box = row?.querySelector<HTMLInputElement>("input[type=checkbox]");
  if (box) act(event, () => box.click());
}
