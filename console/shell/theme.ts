/** Light or dark: as the system has it, or as the operator chose. */

import { useSyncExternalValue } from "../api/external-value.ts";

/** The choice. */
export type Theme = "system" | "light" | "dark";

const KEY = "symphony-console-theme";
const THEMES: readonly Theme[] = ["system", "light", "dark"];
const listeners = new Set<() => void>();
let theme: Theme = "system";

const readTheme = (): Theme => theme;

function subscribeTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Applies the choice of the last visit. */
export function startTheme(): void {
  const kept = localStorage.getItem(KEY);
  applyTheme(THEMES.find((one) => one === kept) ?? "system");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
}

function applyTheme(chosen: Theme): void {
  theme = chosen;
  if (chosen === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset["theme"] = chosen;
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** Goes to the next of the three, and keeps it. */
export function nextTheme(): void {
  applyTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system");
  localStorage.setItem(KEY, theme);
}

/** The choice, in a component. */
export const useTheme = (): Theme => useSyncExternalValue(subscribeTheme, readTheme);

/** Calls a listener when the colours may have changed: a canvas has to be drawn again. */
export const onColours = subscribeTheme;
