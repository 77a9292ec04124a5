/** The checks of the health: those that fail on top, each with advice and the page where it can be mended. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Badge } from "../../components/badge.tsx";
import { Icon } from "../../components/icon.tsx";
import { formatDuration, formatNumber } from "../../components/relative-time.ts";
import { hrefTo, Link, pathOf } from "../../shell/router.tsx";

type Health = Schemas["Health"];
type Check = Health["checks"][number];

/** Where a check's subject is. */
const PLACES: Readonly<Record<string, readonly [string, string]>> = {
  "last tick": [hrefTo("/ticks"), "Ticks"],
  "asked ticks": [hrefTo("/ticks"), "Ticks"],
  "oldest ready message": [hrefTo("/queues"), "Queues"],
  "messages for workers": [hrefTo("/ticks"), "Workers"],
  "dead letters in the last hour": [hrefTo("/dead-letters"), "Dead letters"],
  "stray queues": [hrefTo("/queues"), "Queues"],
  "default queue": [hrefTo("/queues"), "Queues"],
  "overdue schedules": [hrefTo("/schedules"), "Schedules"],
  "webhook endpoints": [hrefTo("/webhooks"), "Webhooks"],
  "alert deliveries": [hrefTo("/alerts", { view: "deliveries", status: "failed" }), "Alerts"],
  "invalid schedules": [hrefTo("/schedules", { enabled: "false" }), "Schedules"],
};

/** The page of a check's subject; checks of transports are named after them. */
function placeOf(name: string): readonly [href: string, words: string] | undefined {
  const [, transport] = /^(?:transport|outbox) (.+)$/.exec(name) ?? [];
  if (transport !== undefined) return [hrefTo(pathOf("transports", transport)), "Transport"];
  return PLACES[name];
}

/** Checks whose numbers are ms. */
const DURATIONS = new Set(["last tick", "oldest ready message", "overdue schedules", "cron_run"]);

/** Shows the checks. */
export function HealthPanel({ health }: { readonly health: Health }): JSX.Element {
  const failing = health.checks.filter(({ ok }) => !ok);
  const { library, schema } = health.versions;
  return (
    <section class="health" aria-label="Health">
      {failing.length === 0
        ? (
          <p class="health-ok">
            <Badge tone="ok">Healthy</Badge>
            <span>
              All {health.checks.length} checks pass.{" "}
              <span class="muted">Functions {library}, schema {schema}.</span>
            </span>
          </p>
        )
        : (
          <>
            <p class="health-ok">
              <Badge tone="bad">Not healthy</Badge>
              <span>
                {failing.length} of {health.checks.length} checks{" "}
                {failing.length === 1 ? "fails" : "fail"}.{" "}
                <span class="muted">Functions {library}, schema {schema}.</span>
              </span>
            </p>
            <ul class="faults">
              {failing.map((check) => <Fault key={check.name} check={check} />)}
            </ul>
          </>
        )}
      <details class="checks">
        <summary>All checks</summary>
        <ul>
          {health.checks.map((check) => (
            <li key={check.name} class={check.ok ? "check" : "check check-bad"}>
              <Icon name={check.ok ? "ok" : "bad"} />
              <span class="sr-only">{check.ok ? "passes:" : "fails:"}</span>
              <span>{check.name}</span>
              <span class="muted">{describe(check, check.found)}</span>
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}

function Fault({ check }: { readonly check: Check }): JSX.Element {
  const place = placeOf(check.name);
  return (
    <li class="fault">
      <Icon name="bad" />
      <div>
        <p class="fault-name">
          {check.name}
          <span class="fault-found">
            {describe(check, check.found)}
            {typeof check.limit === "number" && check.limit > 0 && (
              <>{" "}of at most {describe(check, check.limit)}</>
            )}
          </span>
        </p>
        <p>{check.advice}</p>
      </div>
      {place && <Link class="button" href={place[0]}>{place[1]}</Link>}
    </li>
  );
}

function describe({ name }: Check, value: Check["found"]): string {
  if (value === null) return "never";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  return DURATIONS.has(name) ? formatDuration(value) : formatNumber(value);
}
