/** Asks before a change of many messages: the dry run's count comes first, and the options of a redrive. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type ApiProblem, toProblem } from "../api/api-problem.ts";
import { useDraft } from "../api/draft.ts";
import { Button, Field } from "../components/controls.tsx";
import { Dialog } from "../components/dialog.tsx";
import { ProblemNote } from "../components/problem-note.tsx";
import { formatNumber } from "../components/relative-time.ts";
import { SafeText } from "../payload/safe-text.tsx";
import {
  type BulkAction,
  type BulkCount,
  type BulkVerb,
  isAtWork,
  mayMeetNone,
} from "./bulk-action.ts";
import { countFromNow } from "./bulk-runner.ts";
import { VERBS } from "./bulk-words.ts";
import { OptionFields } from "./option-fields.tsx";
import { NO_OPTIONS, problemsOf, toBody } from "./redrive-options.ts";
import { useBulk } from "./use-bulk.ts";

/** Properties of the dialog. */
export interface BulkDialogProps {
  readonly action: BulkAction;
  readonly onClose: () => void;
  /** How many the operator has reason to expect; undefined: any number. */
  readonly expected?: number | undefined;
  /** Called when the change has begun. */
  readonly onStart?: (() => void) | undefined;
}

/** From how many messages on a removal has to be confirmed by typing. */
const TYPED_FROM = 100;
const AT_WORK = "Another change is at work: wait for its end, or stop it.";
const NOT_ENDED = "An earlier change has not ended: continue or dismiss it below the page first.";
const EXPLANATIONS: Readonly<Record<BulkAction["verb"], string>> = {
  redrive: "They go back into their queues, oldest first, with fresh retries and their history.",
  remove: "They are deleted for good, with their payloads and errors.",
  cancel:
    "Those that wait become dead letters; running ones are told to stop. A redrive undoes it.",
  run: "Those that are delayed or wait for a retry become due. Limits and pauses still hold.",
  resend:
    "Each goes to its endpoint as a new attempt, in order. Those that wait already stay as they are.",
  cancelOutbox:
    "They become dead letters, those that a broker has once a worker gets them. A redrive sends them again. Those being published just now stay.",
  runOutbox:
    "Delayed and refused messages become due, and the pause after failures ends: the transport is tried at once.",
  resendOutbox:
    "They are published once more, as far as the outbox still keeps them. Receivers drop what they have handled.",
};

/** Asks, and begins the change. */
export function BulkDialog(props: BulkDialogProps): JSX.Element {
  const { action, expected, onClose, onStart } = props;
  const { runner, progress } = useBulk();
  // A key that closes the dialog costs nothing that was typed.
  const [options, setOptions, clear] = useDraft(`options ${action.title}`, () => NO_OPTIONS);
  const [typed, setTyped] = useState("");
  const { counted, isCounting, problem } = useCount(action);
  const count = counted?.count ?? null;
  const { verb, noun } = VERBS[action.verb];
  const isBusy = progress !== null && progress.state !== "ended";
  const problems = problemsOf(options);
  const isTyped = action.verb === "remove" && (count?.count ?? 0) >= TYPED_FROM;
  const isNone = (count?.count ?? 0) === 0;
  const isReady = counted !== null && !(isNone && !mayMeetNone(action)) && !isCounting && !isBusy &&
    Object.keys(problems).length === 0 && (!isTyped || typed === "remove");
  const cancel = () => {
    clear();
    onClose();
  };
  const start = (event: Event) => {
    event.preventDefault();
    if (!isReady) return;
    const { action: bounded, count } = counted;
    const body = { ...bounded.body, ...(action.verb === "redrive" && toBody(options)) };
    void runner.start({ ...bounded, body }, count);
    onStart?.();
    cancel();
  };
  return (
    <Dialog title={`${verb} ${action.ids ? "the selection" : "all that match"}`} onClose={onClose}>
      <form class="form" onSubmit={start}>
        <p>
          <SafeText text={action.title} longest={400} />
        </p>
        <Count {...{ count, isCounting, noun }} />
        <Surprise count={count} expected={expected} />
        {problem && <ProblemNote problem={problem} />}
        <p class="muted">{EXPLANATIONS[action.verb]}</p>
        {action.verb === "redrive" && (
          <OptionFields options={options} problems={problems} onChange={setOptions} />
        )}
        {isTyped && <TypedWord value={typed} onChange={setTyped} />}
        {isBusy && <p class="field-error">{isAtWork(progress) ? AT_WORK : NOT_ENDED}</p>}
        <Actions verb={action.verb} count={count} isReady={isReady} onClose={cancel} />
      </form>
    </Dialog>
  );
}

function Surprise(
  { count, expected }: { readonly count: BulkCount | null; readonly expected: number | undefined },
): JSX.Element | null {
  if (expected === undefined || count === null || count.count <= expected) return null;
  return (
    <p class="field-error">
      More than the {formatNumber(expected)}{" "}
      that were shown: other errors have this text in them too, or more have failed since.
    </p>
  );
}

interface TypedWordProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function TypedWord({ value, onChange }: TypedWordProps): JSX.Element {
  return (
    <Field label="Type remove to confirm">
      {(id) => (
        <input
          id={id}
          class="mono"
          autocomplete="off"
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface ActionsProps {
  readonly verb: BulkVerb;
  readonly count: BulkCount | null;
  readonly isReady: boolean;
  readonly onClose: () => void;
}

function Actions({ verb, count, isReady, onClose }: ActionsProps): JSX.Element {
  const isCancel = verb === "cancel" || verb === "cancelOutbox";
  return (
    <div class="dialog-actions">
      <Button onClick={onClose}>{isCancel ? "Back" : "Cancel"}</Button>
      <Button
        type="submit"
        tone={isCancel || verb === "remove" ? "danger" : "primary"}
        isDisabled={!isReady}
      >
        {VERBS[verb].verb} {count && count.count > 0 ? formatNumber(count.count) : ""}
      </Button>
    </div>
  );
}

/** A count, and the bounded change that it is about. */
interface Counted {
  readonly count: BulkCount;
  readonly action: BulkAction;
}

/** Counts by dry runs as long as the dialog is open. */
function useCount(action: BulkAction) {
  const { parts } = useBulk();
  const [counted, setCounted] = useState<Counted | null>(null);
  const [isCounting, setCounting] = useState(true);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  useEffect(() => {
    const counting = new AbortController();
    const onCount = (count: BulkCount, bounded: BulkAction) =>
      setCounted({ count, action: bounded });
    countFromNow(parts, action, onCount, counting.signal)
      .catch((error) => !counting.signal.aborted && setProblem(toProblem(error)))
      .finally(() => !counting.signal.aborted && setCounting(false));
    return () => counting.abort();
  }, []);
  return { counted, isCounting, problem };
}

function Count(
  { count, isCounting, noun }: {
    readonly count: BulkCount | null;
    readonly isCounting: boolean;
    readonly noun: string;
  },
): JSX.Element {
  const text = count === null
    ? "–"
    : `${isCounting || count.capped ? "at least " : ""}${formatNumber(count.count)}`;
  return (
    <p class="bulk-total" role="status">
      <strong>{text}</strong>{" "}
      {isCounting ? "counting …" : count?.count === 1 ? `${noun} matches` : `${noun}s match`}
    </p>
  );
}
