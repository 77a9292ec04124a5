/** The rules of alerts: their words, their fields, and their values as operators read them. Pure. */

import type { Schemas } from "../../api/api-client.ts";
import { formatDuration, formatNumber } from "../../components/relative-time.ts";
import { type FormField, NAME_FIELD } from "../../forms/form-fields.ts";
import { REASONS } from "../../filters/message-fields.ts";

/** The name of a rule. */
export type Rule = Schemas["Alert"]["rule"];

type Narrowing = "type" | "reason" | "queue" | "schedule";

interface RuleShape {
  /** When it fires. */
  readonly words: string;
  /** The kind of its threshold; null: it has none, and its window decides. */
  readonly threshold: "number" | "duration" | "percent" | null;
  readonly hasWindow?: boolean;
  readonly narrowing: readonly Narrowing[];
}

const RULES: Readonly<Record<Rule, RuleShape>> = {
  dead_letters: {
    words: "Dead letters within the window",
    threshold: "number",
    hasWindow: true,
    narrowing: ["type", "reason", "queue"],
  },
  oldest_ready: {
    words: "The oldest due message waits",
    threshold: "duration",
    narrowing: ["queue"],
  },
  no_tick: { words: "No tick has begun", threshold: "duration", narrowing: [] },
  ticks_not_started: {
    words: "Ticks that were asked for and did not start",
    threshold: "number",
    narrowing: [],
  },
  schedule_overdue: {
    words: "A run of a schedule is overdue",
    threshold: "duration",
    narrowing: ["schedule"],
  },
  schedule_failing: {
    words: "Runs of a schedule that failed in a row",
    threshold: "number",
    narrowing: ["schedule"],
  },
  retry_rate: {
    words: "Share of retries within the window",
    threshold: "percent",
    hasWindow: true,
    narrowing: [],
  },
  long_step: {
    words: "A message runs, or sleeps past its end",
    threshold: "duration",
    narrowing: ["type", "queue"],
  },
  queue_limited: {
    words: "The limits of a queue hold back due messages",
    threshold: null,
    hasWindow: true,
    narrowing: ["queue"],
  },
  webhook_disabled: {
    words: "Webhook endpoints disabled by failures",
    threshold: "number",
    narrowing: [],
  },
};

/** When a rule fires, in words; of a rule that a later release added, its name. */
export function ruleWords(rule: Rule): string {
  return RULES[rule]?.words ?? rule;
}

/** A value or a threshold of a rule: `3`, `5 min`, `50 %`. */
export function formatValue(rule: Rule, value: number | null): string {
  if (value === null) return "–";
  const kind = RULES[rule]?.threshold;
  if (kind === "percent") return `${formatNumber(value * 100)} %`;
  return kind === "number" ? formatNumber(value) : formatDuration(value);
}

/** From which value on an alert fires: its threshold, or its window if the rule has no threshold. */
export function limitOf({ rule, threshold, windowMs }: Schemas["Alert"]): string {
  return RULES[rule]?.threshold === null
    ? formatDuration(windowMs ?? 0)
    : formatValue(rule, threshold);
}

const NARROWING: Readonly<Record<Narrowing, FormField>> = {
  type: {
    name: "type",
    label: "Type",
    hint: "Empty: every type",
    kind: "text",
    presence: "optional",
  },
  reason: {
    name: "reason",
    label: "Reason",
    kind: "choice",
    choices: [["", "all but cancelled"], ...REASONS.map((one) => [one, one] as const)],
  },
  queue: {
    name: "queue",
    label: "Queue",
    hint: "Empty: every queue",
    kind: "text",
    presence: "optional",
  },
  schedule: {
    name: "schedule",
    label: "Schedule",
    hint: "Its name; empty: every schedule",
    kind: "text",
    presence: "optional",
  },
};
const RULE_FIELD: FormField = {
  name: "rule",
  label: "Rule",
  kind: "choice",
  presence: "required",
  choices: [
    ["", "Choose …"],
    ...Object.entries(RULES).map(([rule, { words }]) => [rule, words] as const),
  ],
};
const THRESHOLD_HINTS = {
  number: "It fires from this number on",
  duration: "It fires from this time on, such as 90s or 5m",
  percent: "Percent from which it fires",
};

/**
 * The fields of an alert that exists.
 * @param channels names of the channels
 */
export function alertFields(rule: Rule, channels: readonly string[]): readonly FormField[] {
  const { threshold, hasWindow, narrowing } = RULES[rule];
  return [
    ...narrowing.map((name) => NARROWING[name]),
    ...(threshold === null ? [] : [{
      ...{ name: "threshold", label: "Threshold", kind: threshold },
      hint: THRESHOLD_HINTS[threshold],
    }]),
    ...(hasWindow
      ? [{ name: "windowMs", label: "Window", kind: "duration", hint: "1m to 30d" } as const]
      : []),
    {
      name: "channel",
      label: "Channel",
      kind: "choice",
      choices: [["", "the default one"], ...channels.map((name) => [name, name] as const)],
    },
    {
      name: "cooldownMs",
      label: "Cooldown",
      kind: "duration",
      hint: "For so long it is not told again",
    },
  ];
}

/**
 * The fields of an alert that is to be made: the rule decides about the rest. An empty one is the rule's default.
 * @param rule as chosen so far
 */
export function newAlertFields(rule: string, channels: readonly string[]): readonly FormField[] {
  const isKnown = Object.hasOwn(RULES, rule);
  return [NAME_FIELD, RULE_FIELD, ...(isKnown ? alertFields(rule as Rule, channels) : [])];
}
