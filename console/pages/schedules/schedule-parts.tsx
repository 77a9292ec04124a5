/** Parts of the pages of schedules: the state, the times in words, the outcomes of runs. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { Icon, type IconName } from "../../components/icon.tsx";
import { formatExact } from "../../components/relative-time.ts";
import { Time } from "../../components/time.tsx";
import { cronOf, plainWords, useCronWords, type When } from "./schedule-words.ts";

/** A run of the API. */
export type Run = Schemas["ScheduleRun"];

const DISABLED = {
  pause: ["warn", "pause", "Paused"],
  finished: ["quiet", "ok", "Finished"],
  invalid: ["bad", "bad", "Invalid"],
  undeclared: ["quiet", "close", "Undeclared"],
} as const satisfies Record<string, readonly [Tone, IconName, string]>;

/** Shows whether a schedule runs, and why not. */
export function ScheduleState({ schedule }: {
  readonly schedule: Pick<
    Schemas["ScheduleSummary"],
    "enabled" | "disabledBy" | "disabledReason" | "failingSince"
  >;
}): JSX.Element {
  const { enabled, disabledBy, disabledReason, failingSince } = schedule;
  if (enabled) {
    return failingSince === null
      ? <Badge tone="ok">Enabled</Badge>
      : <Badge tone="bad" title="Its messages have problems">Failing</Badge>;
  }
  const [tone, icon, words] = DISABLED[disabledBy ?? "pause"];
  return <Badge tone={tone} icon={icon} title={disabledReason ?? undefined}>{words}</Badge>;
}

/** Shows when a schedule runs: a sentence, with the expression and the zone. */
export function ScheduleTimes({ schedule }: { readonly schedule: When }): JSX.Element {
  const cron = cronOf(schedule);
  const words = useCronWords(cron);
  if (cron === null) {
    const { at } = schedule.config;
    return (
      <span>
        {plainWords(schedule)} {typeof at === "string" && <Time at={at} />}
      </span>
    );
  }
  return (
    <span title={`${cron} (${schedule.timezone})`}>
      {words ?? <span class="mono">{cron}</span>}
      {schedule.timezone !== "UTC" && <span class="muted">{` ${schedule.timezone}`}</span>}
    </span>
  );
}

const OUTCOMES: Readonly<Record<Run["outcome"], readonly [Tone, IconName, string]>> = {
  enqueued: ["info", "wait", "Enqueued"],
  handled: ["ok", "ok", "Handled"],
  failed: ["bad", "bad", "Failed"],
  skipped: ["quiet", "next", "Skipped"],
};

/** Shows the outcome of a run. */
export function RunOutcome({ outcome }: Pick<Run, "outcome">): JSX.Element {
  const [tone, icon, words] = OUTCOMES[outcome];
  return <Badge tone={tone} icon={icon}>{words}</Badge>;
}

/** Shows the outcomes of the latest runs, the newest at the right. */
export function LatestOutcomes({ runs }: { readonly runs: readonly Run[] }): JSX.Element {
  if (runs.length === 0) return <span class="muted">none yet</span>;
  return (
    <span class="outcomes">
      {runs.toReversed().map(({ occurrence, outcome, reason }) => {
        const [tone, icon, words] = OUTCOMES[outcome];
        const title = [words, formatExact(Date.parse(occurrence)), reason].filter(Boolean);
        return (
          <span key={occurrence} class={`outcome outcome-${tone}`} title={title.join("\n")}>
            <Icon name={icon} />
            <span class="sr-only">{words}</span>
          </span>
        );
      })}
    </span>
  );
}
