/** The line of a filter bar: typed text, with suggestions. */

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { Icon } from "../components/icon.tsx";
import { SafeText } from "../payload/safe-text.tsx";
import type { Filter, FilterField } from "./filter-fields.ts";
import { type KnownValues, settle, suggest, type Suggestion } from "./filter-suggestions.ts";

/** Properties of the line. */
export interface FilterEntryProps {
  readonly fields: readonly FilterField[];
  readonly known: KnownValues;
  readonly filter: Filter;
  readonly typed: string;
  readonly input: { current: HTMLInputElement | null };
  readonly onType: (text: string) => void;
  readonly onSet: (name: string, value: string) => void;
  /** Takes the last chip back into the line. */
  readonly onBack: () => void;
}

/** Shows the line, with its suggestions below. */
export function FilterEntry(props: FilterEntryProps): JSX.Element {
  const { fields, typed, input } = props;
  const id = useId();
  const { suggestions, active, problem, setOpen, type, choose, onKeyDown } = useEntry(props);
  const hasList = suggestions.length > 0;
  return (
    <div class="filter-entry">
      <Icon name="search" />
      <input
        ref={input}
        data-filter
        type="text"
        role="combobox"
        aria-label="Filter"
        aria-autocomplete="list"
        aria-expanded={hasList}
        aria-controls={hasList ? `${id}-list` : undefined}
        aria-activedescendant={hasList && active >= 0 ? `${id}-${active}` : undefined}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : `${id}-problem`}
        autocomplete="off"
        spellcheck={false}
        placeholder={`Filter by ${fields.slice(0, 4).map(({ label }) => label).join(", ")} …`}
        value={typed}
        onInput={(event) => type(event.currentTarget.value)}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      {problem !== null && <p class="field-error" id={`${id}-problem`} role="alert">{problem}</p>}
      {hasList && <Suggestions id={id} list={suggestions} active={active} onChoose={choose} />}
    </div>
  );
}

/** The state of the line: its suggestions, which of them is active, and what keys do. */
function useEntry(
  { fields, known, filter, typed, input, onType, onSet, onBack }: FilterEntryProps,
) {
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [problem, setProblem] = useState<string | null>(null);
  const suggestions = isOpen ? suggest(fields, known, filter, typed) : [];
  const type = (text: string) => {
    onType(text);
    setActive(-1);
    setProblem(null);
    setOpen(true);
  };
  const choose = ({ text, sets }: Suggestion) => {
    if (!sets) return type(text);
    setActive(-1);
    setProblem(null);
    onSet(sets.name, sets.value);
  };
  const enter = () => {
    const chosen = suggestions[active];
    if (chosen) return choose(chosen);
    if (typed.trim() === "") return;
    const settled = settle(fields, typed);
    if ("problem" in settled) setProblem(settled.problem);
    else choose({ text: typed, sets: settled, note: "" });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") enter();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      setActive(turn(active, event.key === "ArrowDown" ? 1 : -1, suggestions.length));
    } else if (event.key === "Escape") {
      if (suggestions.length > 0) setOpen(false);
      else input.current?.blur();
      setActive(-1);
    } else if (event.key === "Backspace" && typed === "") onBack();
  };
  return { suggestions, active, problem, setOpen, type, choose, onKeyDown };
}

/** The next place in a list; -1, which is none, lies between the last and the first. */
function turn(active: number, by: 1 | -1, count: number): number {
  const next = active + by;
  if (next < -1) return count - 1;
  return next >= count ? -1 : next;
}

interface SuggestionsProps {
  readonly id: string;
  readonly list: readonly Suggestion[];
  readonly active: number;
  readonly onChoose: (suggestion: Suggestion) => void;
}

function Suggestions({ id, list, active, onChoose }: SuggestionsProps): JSX.Element {
  return (
    <ul class="suggestions" role="listbox" id={`${id}-list`} aria-label="Suggestions">
      {list.map((suggestion, index) => (
        <li
          key={suggestion.text}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === active}
          // The line keeps the focus.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onChoose(suggestion)}
        >
          <SafeText text={suggestion.text} longest={100} />
          <span class="suggestion-note">
            <SafeText text={suggestion.note} longest={80} />
          </span>
        </li>
      ))}
    </ul>
  );
}
