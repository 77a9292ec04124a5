/** The filter of a list: its fields as chips, and a line in which to type further ones, with suggestions. */

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { Icon } from "../components/icon.tsx";
import { SafeText } from "../payload/safe-text.tsx";
import { type Filter, type FilterField, withField } from "./filter-fields.ts";
import { FilterEntry } from "./filter-entry.tsx";
import type { KnownValues } from "./filter-suggestions.ts";

/** Properties of the bar. */
export interface FilterBarProps {
  readonly fields: readonly FilterField[];
  readonly known: KnownValues;
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}

/** Shows the filter, and changes it. */
export function FilterBar({ fields, known, filter, onChange }: FilterBarProps): JSX.Element {
  const [typed, setTyped] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const edit = (text: string) => {
    setTyped(text);
    input.current?.focus();
  };
  const set = fields.filter(({ name }) => filter[name] !== undefined);
  return (
    <div class="filter" role="search">
      <Chips
        fields={set}
        filter={filter}
        onEdit={({ name, label }) => {
          onChange(withField(filter, name, null));
          edit(`${label}:${filter[name]}`);
        }}
        onRemove={({ name }) => {
          onChange(withField(filter, name, null));
          input.current?.focus();
        }}
        onClear={() => onChange({})}
      />
      <FilterEntry
        {...{ fields, known, filter, typed, input }}
        onType={setTyped}
        onSet={(name, value) => {
          setTyped("");
          onChange(withField(filter, name, value));
        }}
        onBack={() => {
          const last = set.at(-1);
          if (!last) return;
          onChange(withField(filter, last.name, null));
          setTyped(`${last.label}:${filter[last.name]}`);
        }}
      />
    </div>
  );
}

interface ChipsProps {
  /** The fields that are set. */
  readonly fields: readonly FilterField[];
  readonly filter: Filter;
  readonly onEdit: (field: FilterField) => void;
  readonly onRemove: (field: FilterField) => void;
  readonly onClear: () => void;
}

function Chips({ fields, filter, onEdit, onRemove, onClear }: ChipsProps): JSX.Element | null {
  if (fields.length === 0) return null;
  return (
    <ul class="chips" aria-label="Filters">
      {fields.map((field) => (
        <li key={field.name} class="chip">
          <button type="button" title="Change" onClick={() => onEdit(field)}>
            <span class="chip-label">{field.label}</span>
            <SafeText text={filter[field.name] ?? ""} longest={60} />
          </button>
          <button
            type="button"
            aria-label={`Remove the filter ${field.label}`}
            onClick={() => onRemove(field)}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
      {fields.length > 1 && (
        <li>
          <button type="button" class="chip-clear" onClick={onClear}>Clear all</button>
        </li>
      )}
    </ul>
  );
}
