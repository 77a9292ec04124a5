/** Filters of one field, whose values live in the address. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useQuery } from "../shell/router.tsx";
import { Field } from "./controls.tsx";

/** Rest after the last key, in ms, before a list is asked for again. */
const TYPING_MS = 300;

/** Properties of a filter. */
export interface QueryFilterProps {
  readonly label: string;
  /** Its name in the address. */
  readonly name: string;
}

/** Properties of a text filter. */
export interface TextFilterProps extends QueryFilterProps {
  readonly placeholder?: string;
  /** Whether `/` leads here. */
  readonly isFirst?: boolean;
}

/** Filters by a text as a whole. */
export function TextFilter({ label, name, placeholder, isFirst }: TextFilterProps): JSX.Element {
  const [query, setQuery] = useQuery();
  const value = query.get(name) ?? "";
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    // Another link, and not this field, has changed the address.
    if (value !== sent.current) setText(value);
    sent.current = value;
  }, [value]);
  useEffect(() => {
    if (text.trim() === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = text.trim();
      setQuery({ [name]: sent.current }, { replace: true });
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          type="search"
          autocomplete="off"
          spellcheck={false}
          placeholder={placeholder}
          value={text}
          data-filter={isFirst ? "" : undefined}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** Properties of a choice. */
export interface ChoiceFilterProps extends QueryFilterProps {
  /** Values and their words; an empty value is no filter. */
  readonly choices: readonly (readonly [value: string, words: string])[];
}

/** Filters by one of a few values. */
export function ChoiceFilter({ label, name, choices }: ChoiceFilterProps): JSX.Element {
  const [query, setQuery] = useQuery();
  return (
    <Field label={label}>
      {(id) => (
        <select
          id={id}
          value={query.get(name) ?? ""}
          onChange={(event) => setQuery({ [name]: event.currentTarget.value })}
        >
          {choices.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
        </select>
      )}
    </Field>
  );
}
