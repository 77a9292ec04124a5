/** The life of a message, from its dispatch to now. */

import type { ComponentChildren, JSX } from "preact";
import { Badge, type Tone } from "../components/badge.tsx";
import { formatDuration, formatNumber } from "../components/relative-time.ts";
import { Time } from "../components/time.tsx";
import type { Json } from "../payload/json-rows.ts";
import { JsonTree } from "../payload/json-tree.tsx";
import { SafeText } from "../payload/safe-text.tsx";
import {
  type AttemptFailure,
  type TimelineEntry,
  timelineOf,
  type TimelineSource,
  type TimelineStep,
} from "./timeline-entries.ts";

/** Shows the timeline of a message or a dead letter. */
export function TimelineView({ source }: { readonly source: TimelineSource }): JSX.Element {
  return (
    <section class="panel">
      <header class="panel-header">
        <h2>Timeline</h2>
        <span class="muted">
          {formatNumber(source.attempts)} {source.attempts === 1 ? "attempt" : "attempts"}
        </span>
      </header>
      <ol class="timeline">
        {timelineOf(source).map((entry, index) => <Entry key={index} entry={entry} />)}
      </ol>
    </section>
  );
}

function Entry({ entry }: { readonly entry: TimelineEntry }): JSX.Element {
  switch (entry.kind) {
    case "created":
      return <Line tone="quiet" word="dispatched" at={entry.at} />;
    case "attempt":
      return <Attempt entry={entry} />;
    case "step":
      return <Step step={entry.step} at={entry.at} />;
    case "dead":
      return (
        <Line tone="bad" word="dead letter" at={entry.at}>
          {entry.reason}
        </Line>
      );
    case "running":
      return (
        <Line tone="info" word="running" at={null}>
          attempt {entry.attempt}, lease until <Time at={entry.at} />
        </Line>
      );
    case "due":
      return (
        <Line
          tone={entry.isRetry ? "warn" : "quiet"}
          word={entry.isRetry ? "retry due" : "due"}
          at={entry.at}
        />
      );
  }
}

interface LineProps {
  readonly tone: Tone;
  readonly word: string;
  readonly at: number | null;
  /** Beside the word. */
  readonly children?: ComponentChildren;
  /** Below. */
  readonly below?: ComponentChildren;
}

function Line({ tone, word, at, children, below }: LineProps): JSX.Element {
  return (
    <li class={`timeline-entry timeline-${tone}`}>
      <div class="timeline-line">
        <Badge tone={tone}>{word}</Badge>
        <span class="timeline-facts">{children}</span>
        {at !== null && (
          <span class="timeline-time muted">
            <Time at={at} />
          </span>
        )}
      </div>
      {below}
    </li>
  );
}

function Attempt(
  { entry }: { readonly entry: Extract<TimelineEntry, { kind: "attempt" }> },
): JSX.Element {
  const { attempt, durationMs, waitedMs, forgotten, failures, at } = entry;
  return (
    <>
      {forgotten > 0 && (
        <Line tone="quiet" word="not kept" at={null}>
          {formatNumber(forgotten)} attempts in between
        </Line>
      )}
      <Line
        tone="bad"
        word={`attempt ${attempt}`}
        at={at}
        below={failures.map((failure, index) => <Failure key={index} failure={failure} />)}
      >
        {waitedMs !== null && `waited ${formatDuration(waitedMs)}, `}ran{" "}
        {formatDuration(durationMs)}
      </Line>
    </>
  );
}

function Failure({ failure }: { readonly failure: AttemptFailure }): JSX.Element {
  const { message, stack, handler, code } = failure;
  return (
    <div class="failure">
      <p>
        <span class="failure-class">
          <SafeText text={failure.class} longest={200} />
        </span>
        {code && (
          <span class="failure-code">
            <SafeText text={code} longest={200} />
          </span>
        )}
        {handler && (
          <span class="muted">
            handler <SafeText text={handler} longest={255} />
          </span>
        )}
      </p>
      <p class="failure-message">
        <SafeText text={message} longest={4_000} />
      </p>
      {stack && (
        <details>
          <summary>Stack</summary>
          <pre class="stack" tabIndex={0}><SafeText text={stack} longest={20_000} /></pre>
        </details>
      )}
    </div>
  );
}

const STEP_TONES = { running: "info", done: "ok", failed: "bad", pending: "info" } as const;
const KINDS = {
  step: "step",
  sleep: "sleep",
  wait: "wait for an event",
  effect: "effect",
  all: "wait for messages",
} as const;

function Step({ step, at }: { readonly step: TimelineStep; readonly at: number }): JSX.Element {
  const { name, kind, status, until, waitsFor, nth, key, handler } = step;
  return (
    <Line
      tone={STEP_TONES[status]}
      word={`${KINDS[kind] ?? kind}: ${status}`}
      at={at}
      below={<StepResult step={step} />}
    >
      <span class="mono">
        <SafeText text={[name, key].filter(Boolean).join(" ")} longest={200} />
      </span>
      {nth > 1 && ` no. ${nth}`}
      {handler !== "" && (
        <span class="muted">
          in <SafeText text={handler} longest={100} />
        </span>
      )}
      {until && (
        <span>
          {status === "pending" ? "ends" : "ended"} <Time at={until} />
        </span>
      )}
      {waitsFor && (
        <span>
          for <SafeText text={waitsFor.join(", ")} longest={300} />
        </span>
      )}
    </Line>
  );
}

function StepResult({ step }: { readonly step: TimelineStep }): JSX.Element | null {
  const { error, result, resultBytes } = step;
  const shown = error ?? result;
  if (shown === undefined || shown === null) {
    return result === undefined && resultBytes > 2_000
      ? <p class="muted">Its result has {formatNumber(resultBytes)} bytes.</p>
      : null;
  }
  return (
    <details class="step-result">
      <summary>{error ? "Error" : "Result"}</summary>
      <JsonTree label={error ? "Error of the step" : "Result of the step"} value={shown as Json} />
    </details>
  );
}
