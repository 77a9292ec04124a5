/** The settings of a queue as a form holds them, and as the API takes them. Pure. */

import type { Schemas } from "../../api/api-client.ts";

type Queue = Schemas["Queue"];

/** The settings that the API changes. */
export type QueueSettings = Partial<
  Pick<
    Queue,
    | "concurrency"
    | "groupConcurrency"
    | "leaseMs"
    | "maxWorkers"
    | "rateLimit"
    | "ratePeriodMs"
    | "runsOn"
    | "weight"
  >
>;

/** The texts of a form; an empty one is no limit. */
export type SettingTexts = Readonly<Record<keyof QueueSettings, string>>;

/** How one setting is edited. */
export interface SettingField {
  readonly name: Exclude<keyof QueueSettings, "runsOn">;
  readonly label: string;
  readonly hint: string;
  /** Whether an empty text is allowed, and removes the limit. */
  readonly isOptional: boolean;
  /** The form's unit in the API's: 1,000 for seconds. */
  readonly unit: number;
}

/** The numbers, in the order of the form. */
export const SETTING_FIELDS: readonly SettingField[] = [
  {
    name: "concurrency",
    label: "Concurrency",
    hint: "Messages that run at once; empty: no limit",
    isOptional: true,
    unit: 1,
  },
  {
    name: "groupConcurrency",
    label: "Concurrency of a group",
    hint: "Messages of one group that run at once",
    isOptional: false,
    unit: 1,
  },
  {
    name: "rateLimit",
    label: "Rate limit",
    hint: "Messages that start within the period; empty: no limit",
    isOptional: true,
    unit: 1,
  },
  {
    name: "ratePeriodMs",
    label: "Period in seconds",
    hint: "Of the rate limit",
    isOptional: false,
    unit: 1_000,
  },
  {
    name: "maxWorkers",
    label: "Ticks at once",
    hint: "Ticks that work on its backlog",
    isOptional: false,
    unit: 1,
  },
  {
    name: "weight",
    label: "Weight",
    hint: "Its share of each claim",
    isOptional: false,
    unit: 1,
  },
  {
    name: "leaseMs",
    label: "Lease in seconds",
    hint: "Empty: the worker's choice",
    isOptional: true,
    unit: 1_000,
  },
];

/** The texts of a queue that is to be made: the database's defaults. */
export const NEW_SETTINGS: SettingTexts = {
  concurrency: "",
  groupConcurrency: "1",
  rateLimit: "",
  ratePeriodMs: "1",
  maxWorkers: "1",
  weight: "1",
  leaseMs: "",
  runsOn: "tick",
};

/** A queue's settings as the form shows them. */
export function toTexts(queue: QueueSettings): SettingTexts {
  const texts = Object.fromEntries(SETTING_FIELDS.map(({ name, unit }) => {
    const value = queue[name];
    return [name, value === null || value === undefined ? "" : String(value / unit)];
  }));
  return { ...NEW_SETTINGS, ...texts, runsOn: queue.runsOn ?? "tick" };
}

/** Texts as the API takes them, and the problem of each field whose text is no number. */
export interface ReadSettings {
  readonly settings: QueueSettings;
  readonly errors: Readonly<Partial<Record<keyof QueueSettings, string>>>;
}

/**
 * Reads the form: the settings that differ from those before.
 * @param before the texts that the form began with
 */
export function readSettings(texts: SettingTexts, before: SettingTexts): ReadSettings {
  const settings: Record<string, number | string | null> = {};
  const errors: Partial<Record<keyof QueueSettings, string>> = {};
  for (const { name, isOptional, unit } of SETTING_FIELDS) {
    const text = texts[name].trim();
    if (text === before[name].trim()) continue;
    if (text === "" && isOptional) settings[name] = null;
    else if (/^\d{1,10}(\.\d{1,3})?$/.test(text)) {
      const value = Number(text) * unit;
      settings[name] = Math.round(value);
      if (!Number.isInteger(value)) errors[name] = "has to be a whole number";
    } else errors[name] = isOptional ? "has to be a number, or empty" : "has to be a number";
  }
  if (texts.runsOn !== before.runsOn) settings["runsOn"] = texts.runsOn;
  return { settings: settings as QueueSettings, errors };
}
