/** The facts of a message in full: from where it came, and what travels with it. */

import type { ComponentChildren, JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Badge } from "../../components/badge.tsx";
import { type Fact, Facts } from "../../components/facts.tsx";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, Link, pathOf } from "../../shell/router.tsx";

/** Facts by their words; null, undefined and false leave one out. */
export type FactValues = Readonly<Record<string, ComponentChildren>>;

/** The facts that there are. */
export function factsOf(values: FactValues): Fact[] {
  return Object.entries(values).filter(([, value]) =>
    value !== null && value !== undefined && value !== false
  );
}

type Relations = Schemas["Relations"];
type Related = NonNullable<Schemas["RelatedMessage"]>;

/** Whether anything travels with a message beside its payload. */
export function hasStamps({ stamps }: { readonly stamps?: unknown }): boolean {
  return typeof stamps === "object" && stamps !== null && Object.keys(stamps).length > 0;
}

/** Shows what a message came from, and what it waits for; nothing if it stands alone. */
export function RelationsPanel(
  { relations }: { readonly relations: Relations },
): JSX.Element | null {
  const { schedule, batch, endOfBatch, parent, children } = relations;
  const isAlone = !schedule && !batch && !endOfBatch && !parent && children.messages.length === 0;
  if (isAlone) return null;
  return (
    <section class="panel">
      <header class="panel-header">
        <h2>Relations</h2>
      </header>
      <Facts
        facts={factsOf({
          "Schedule": schedule && <ScheduleOf schedule={schedule} />,
          "Member of batch": batch && <BatchLink batch={batch} />,
          "Told the end of batch": endOfBatch && <BatchLink batch={endOfBatch} />,
          "Parent": parent && <RelatedLink message={parent} />,
          "Children": children.messages.length > 0 && (
            <ul class="related">
              {children.messages.flatMap((message) => message ?? []).map((message) => (
                <li key={message.id}>
                  <RelatedLink message={message} />
                </li>
              ))}
              {children.more && <li class="muted">and more</li>}
            </ul>
          ),
        })}
      />
    </section>
  );
}

function ScheduleOf(
  { schedule }: { readonly schedule: NonNullable<Relations["schedule"]> },
): JSX.Element {
  const { id, name, occurrence, exists } = schedule;
  const title = <SafeText text={name ?? id} longest={200} />;
  return (
    <span>
      {exists ? <Link href={hrefTo(pathOf("schedules", id))}>{title}</Link> : title}
      {!exists && <span class="muted">(deleted)</span>}
      {occurrence && (
        <span class="muted">
          , planned for <Time at={occurrence} />
        </span>
      )}
    </span>
  );
}

function BatchLink(
  { batch }: { readonly batch: { readonly id: string; readonly name: string | null } },
): JSX.Element {
  return (
    <Link href={hrefTo(pathOf("batches", batch.id))}>
      <SafeText text={batch.name ?? batch.id} longest={200} />
    </Link>
  );
}

const STATUS = {
  pending: { tone: "quiet", word: "waiting" },
  processing: { tone: "info", word: "running" },
  retrying: { tone: "warn", word: "retrying" },
  failed: { tone: "bad", word: "dead letter" },
  cancelled: { tone: "bad", word: "cancelled" },
  handled: { tone: "ok", word: "handled" },
} as const;

/** A link to where the message is now, if it is anywhere. */
function RelatedLink({ message }: { readonly message: Related }): JSX.Element {
  const { id, type, status } = message;
  const isDead = status === "failed" || status === "cancelled";
  const isThere = status !== null && status !== "handled";
  const text = <span class="mono">{id}</span>;
  const known = status && STATUS[status];
  return (
    <span class="related-message">
      {isThere
        ? <Link href={hrefTo(pathOf(isDead ? "dead-letters" : "messages", id))}>{text}</Link>
        : text}
      {type && <SafeText text={type} longest={100} />}
      {known ? <Badge tone={known.tone}>{known.word}</Badge> : <span class="muted">gone</span>}
    </span>
  );
}
