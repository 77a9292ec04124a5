/** Short notes of what was done, at the edge of the page. */

import type { JSX } from "preact";
import { useSyncExternalValue } from "../api/external-value.ts";
import { SafeText } from "../payload/safe-text.tsx";
import { Icon } from "./icon.tsx";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: "ok" | "bad";
}

const VISIBLE_MS = 6_000;
const MAX_TOASTS = 4;
const listeners = new Set<() => void>();
let toasts: readonly Toast[] = [];
let lastId = 0;

function set(changed: readonly Toast[]): void {
  toasts = changed;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const readToasts = () => toasts;

/** Says what was done, such as "mail is paused". Screen readers read it out. */
export function toast(text: string, tone: "ok" | "bad" = "ok"): void {
  const id = ++lastId;
  set([...toasts.slice(-(MAX_TOASTS - 1)), { id, text, tone }]);
  setTimeout(() => set(toasts.filter((one) => one.id !== id)), VISIBLE_MS);
}

/** The place of the notes. */
export function Toasts(): JSX.Element {
  const shown = useSyncExternalValue(subscribe, readToasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, tone }) => (
        <div key={id} class={`toast toast-${tone}`}>
          <Icon name={tone} />
          <span>
            <SafeText text={text} longest={500} />
          </span>
        </div>
      ))}
    </div>
  );
}
