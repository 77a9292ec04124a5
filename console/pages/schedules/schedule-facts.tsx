/** The settings of a schedule in words. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { type Fact, Facts } from "../../components/facts.tsx";
import { formatDuration, formatNumber } from "../../components/relative-time.ts";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, Link, pathOf } from "../../shell/router.tsx";
import { cronOf } from "./schedule-words.ts";

const CATCH_UP = {
  latest: "missed runs: the latest alone",
  all: "missed runs: all of them",
  none: "missed runs: none",
} as const;

/** Shows the settings. */
export function ScheduleFacts(
  { schedule }: { readonly schedule: Schemas["Schedule"] },
): JSX.Element {
  const { queue, groupKey, priority, ttl, jitter, startAt, endAt, maxRuns } = schedule;
  const cron = cronOf(schedule);
  const facts: readonly Fact[] = [
    ["Id", <span key="id" class="mono">{schedule.id}</span>],
    ["Message type", <SafeText key="type" text={schedule.message.type} longest={100} />],
    ["Cron expression", cron && <code key="cron">{cron}</code>],
    ["Zone", schedule.type === "cron" ? schedule.timezone : null],
    ["Last run", <Time key="last" at={schedule.lastRunAt} none="none yet" />],
    ["Next run", <Time key="next" at={schedule.nextRunAt} none="none" />],
    ["Runs so far", runsOf(schedule.runCount, maxRuns)],
    ["Catch up", CATCH_UP[schedule.catchUp]],
    ["Overlap", schedule.overlap === "allow" ? "allowed" : "skips until the run before is done"],
    [
      "While its queue is paused",
      schedule.whilePaused === "enqueue" ? "messages wait" : "no runs",
    ],
    ["Jitter", jitter > 0 ? `up to ${formatDuration(jitter)}` : null],
    ["Begins", startAt && <Time key="start" at={startAt} />],
    ["Ends", endAt && <Time key="end" at={endAt} />],
    [
      "Queue",
      queue === null
        ? "the type's own"
        : <Link key="queue" href={hrefTo(pathOf("queues", queue))}>{queue}</Link>,
    ],
    ["Group", groupKey && <SafeText key="group" text={groupKey} longest={100} />],
    ["Priority", priority === null ? null : String(priority)],
    ["Time to live", ttl === null ? null : formatDuration(ttl)],
    ["Declared in code", schedule.declared ? "yes: a deploy may change it back" : "no"],
    ["Changed", <Time key="updated" at={schedule.updatedAt} />],
  ];
  return <Facts facts={facts} />;
}

function runsOf(count: number, max: number | null): string {
  return max === null ? formatNumber(count) : `${formatNumber(count)} of ${formatNumber(max)}`;
}
