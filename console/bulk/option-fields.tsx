/** The options of a redrive: its rate, its queue, and the step to begin with. */

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { Field } from "../components/controls.tsx";
import type { RedriveOptions } from "./redrive-options.ts";

/** Properties of the fields. */
export interface OptionFieldsProps {
  readonly options: RedriveOptions;
  readonly problems: Readonly<Partial<Record<keyof RedriveOptions, string>>>;
  readonly onChange: (options: RedriveOptions) => void;
  /** A redrive of one message has no rate. */
  readonly isOfOne?: boolean;
  /** Names of steps to choose from. */
  readonly steps?: readonly string[];
}

const FIELDS = [
  ["perSecond", "Per second", "How many become due each second; empty: all at once."],
  ["toQueue", "Into the queue", "Empty: the queue that each had."],
  ["from", "From the step", "Makes durable steps again from this one on; start: all of them."],
] as const;

/** Shows the options of a redrive; closed at first, unless some were typed before or there are steps to choose from. */
export function OptionFields(
  { options, problems, onChange, isOfOne = false, steps = [] }: OptionFieldsProps,
): JSX.Element {
  const listId = useId();
  const [hasDraft] = useState(() => Object.values(options).some(Boolean));
  const fields = FIELDS.filter(([name]) => !(isOfOne && name === "perSecond"));
  return (
    <details class="options" open={hasDraft || steps.length > 0}>
      <summary>{isOfOne ? "Queue and steps" : "Rate, queue and steps"}</summary>
      {fields.map(([name, label, hint]) => (
        <Field key={name} label={label} hint={hint} error={problems[name]}>
          {(id, describedBy) => (
            <input
              id={id}
              aria-describedby={describedBy}
              inputMode={name === "perSecond" ? "decimal" : "text"}
              list={name === "from" ? listId : undefined}
              autocomplete="off"
              spellcheck={false}
              value={options[name]}
              onInput={(event) => onChange({ ...options, [name]: event.currentTarget.value })}
            />
          )}
        </Field>
      ))}
      <datalist id={listId}>
        {[...new Set(steps.length > 0 ? ["start", ...steps] : [])].map((step) => (
          <option key={step} value={step} />
        ))}
      </datalist>
    </details>
  );
}
