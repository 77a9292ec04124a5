/** `alerts`: list, show, create, update, delete. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../../../supabase/functions/_shared/symphony/runtime/duration.ts";
import { addCommand, type Context, orNull, pathTo, text } from "../context.ts";
import { UsageError } from "../../errors.ts";
import type { Entry } from "../table.ts";
import { showDuration, showExactDuration } from "../times.ts";
import { addAlertChannels } from "./alert-channels.ts";
import { addAlertDeliveries } from "./alert-deliveries.ts";

const COLUMNS = [
  ...["name", "rule", "state", "value", "threshold", "windowMs", "channel", "enabled"],
  ...["since", "subject", "error"],
];
/** Rules whose values are durations. */
const DURATIONS = new Set([
  ...["oldest_ready", "no_tick", "schedule_overdue", "long_step", "queue_limited"],
]);

/** Options of an alert, as commander gives them. */
interface Given {
  readonly type?: string;
  readonly reason?: string;
  readonly queue?: string;
  readonly schedule?: string;
  readonly threshold?: number;
  readonly window?: number;
  readonly channel?: string;
  readonly cooldown?: number;
  readonly enabled?: "yes" | "no";
}

const duration = (flags: string, description: string): Option =>
  new Option(flags, description).argParser((value: string) => {
    try {
      return parseDuration(value, "duration");
    } catch {
      throw new InvalidArgumentError("It has to be a duration, such as 90s, 5m or 1h.");
    }
  });

const settings = (): Option[] => [
  text("--type <type>", "only messages of this type count, or none for all"),
  text("--reason <reason>", "only dead letters for this reason count, or none for all"),
  text("--queue <queue>", "only messages of this queue count, or none for all"),
  text("--schedule <name>", "only this schedule counts, or none for all"),
  new Option("--threshold <value>", "where it fires: a number, a duration such as 5m, or 50%")
    .argParser(toThreshold),
  duration("--window <duration>", "time in which is counted, or for which it has to last"),
  text("--channel <name>", "where it is told, or none for the default channel"),
  duration("--cooldown <duration>", "for so long after it was told it is not told again"),
  new Option("--enabled <yes|no>", "whether it is checked").choices(["yes", "no"]),
];

/** Adds the commands of alerts. */
export function addAlerts(program: Command, context: Context): void {
  const alerts = program.command("alerts")
    .description("alerts: list, show, create, update, delete; channels; deliveries");
  const path = (name: string) => pathTo("alerts", name);
  const say = (alert: Entry) => context.sayEntry(context.json ? alert : readable(alert));
  addCommand(alerts, context, "list", "lists alerts with their state", [], async () => {
    const { body } = await context.call("GET", "/alerts");
    const found = body.alerts as Entry[];
    context.sayTable(context.json ? found : found.map(readable), COLUMNS);
  });
  addCommand(
    alerts,
    context,
    "show <name>",
    "shows an alert",
    [],
    async ([name = ""]) => say((await context.call("GET", path(name))).body),
  );
  addCommand<Given>(
    alerts,
    context,
    "create <name> <rule>",
    "makes an alert by a rule, such as oldest_ready; docs/alerts.md lists them",
    settings(),
    async ([name = "", rule = ""], options) =>
      say((await context.call("POST", "/alerts", { name, rule, ...changesOf(options) })).body),
  );
  addCommand<Given>(
    alerts,
    context,
    "update <name>",
    "changes the settings that are given",
    settings(),
    async ([name = ""], options) => {
      const changes = changesOf(options);
      if (Object.keys(changes).length === 0) {
        const known = settings().map(({ long }) => long).join(", ");
        throw new UsageError(`give at least one of ${known}`);
      }
      say((await context.call("PATCH", path(name), changes)).body);
    },
  );
  addCommand(alerts, context, "delete <name>", "deletes an alert", [], async ([name = ""]) => {
    const { body } = await context.call("DELETE", path(name));
    context.say(body, `${name} deleted`);
  });
  addAlertChannels(alerts, context);
  addAlertDeliveries(alerts, context);
}

function changesOf({ window, cooldown, enabled, ...given }: Given): object {
  const { type, reason, queue, schedule, threshold, channel } = given;
  const changes = {
    ...Object.fromEntries(
      Object.entries({ type, reason, queue, schedule, channel }).map(([name, value]) => [
        name,
        value === undefined ? undefined : orNull(value),
      ]),
    ),
    threshold,
    windowMs: window,
    cooldownMs: cooldown,
    enabled: enabled === undefined ? undefined : enabled === "yes",
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function toThreshold(value: string): number {
  const [, percent] = /^(\d+(?:\.\d+)?)%$/.exec(value) ?? [];
  if (percent !== undefined) return Number(percent) / 100;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  try {
    return parseDuration(value, "threshold");
  } catch {
    throw new InvalidArgumentError("It has to be a number, a duration such as 5m, or 50%.");
  }
}

/** Values and thresholds that are durations, as people read them: what was set is not rounded. */
function readable(alert: Entry): Entry {
  if (!DURATIONS.has(String(alert.rule))) return alert;
  const { value, threshold } = alert;
  return {
    ...alert,
    value: typeof value === "number" ? showDuration(value) : value,
    threshold: typeof threshold === "number" ? showExactDuration(threshold) : threshold,
  };
}
