/** Tables of rows that open: with j, k and Enter, with a selection, and as cards on a phone. */

import type { ComponentChildren, JSX } from "preact";
import { useOutdated } from "./outdated.ts";

/** A column. */
export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers stand to the right. */
  readonly isNumber?: boolean;
  /** It takes the room that others leave, and is cut where it is too long. */
  readonly isWide?: boolean;
  /** It names the row: a link to `hrefOf`, where there is one, and the heading of the card. */
  readonly isName?: boolean;
}

/** The rows that are selected, by their keys. */
export interface Selection {
  readonly selected: ReadonlySet<string>;
  readonly onChange: (selected: ReadonlySet<string>) => void;
}

/** Properties of a table. */
export interface DataTableProps<Row> {
  /** Says what the table lists; read out by screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Where a row leads, from `hrefTo`. */
  readonly hrefOf?: (row: Row) => string;
  readonly selection?: Selection | undefined;
  /** Buttons of a row, at its end. */
  readonly actions?: ((row: Row) => ComponentChildren) | undefined;
  /** Marks a row that needs attention. */
  readonly toneOf?: (row: Row) => "bad" | "warn" | undefined;
}

/** Shows rows. */
export function DataTable<Row>(props: DataTableProps<Row>): JSX.Element {
  const { caption, columns, rows, keyOf, selection, actions } = props;
  const keys = rows.map(keyOf);
  const selectedHere = selection ? keys.filter((key) => selection.selected.has(key)).length : 0;
  const isOutdated = useOutdated();
  return (
    <div class="table-frame" aria-busy={isOutdated} inert={isOutdated}>
      <table class="table">
        <caption class="sr-only">{caption}</caption>
        <thead>
          <tr>
            {selection && (
              <th class="cell-check" scope="col">
                <input
                  type="checkbox"
                  aria-label="Select all rows of this page"
                  checked={selectedHere > 0 && selectedHere === keys.length}
                  indeterminate={selectedHere > 0 && selectedHere < keys.length}
                  onChange={() => selection.onChange(withAll(selection.selected, keys))}
                />
              </th>
            )}
            {columns.map((column) => (
              <th key={column.key} scope="col" class={classOf(column)}>{column.title}</th>
            ))}
            {actions && (
              <th scope="col">
                <span class="sr-only">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => <TableRow key={keyOf(row)} row={row} table={props} />)}
        </tbody>
      </table>
    </div>
  );
}

function TableRow<Row>(
  { row, table }: { readonly row: Row; readonly table: DataTableProps<Row> },
): JSX.Element {
  const { columns, keyOf, hrefOf, selection, actions, toneOf } = table;
  const key = keyOf(row);
  const isSelected = selection?.selected.has(key) ?? false;
  const tone = toneOf?.(row);
  return (
    <tr
      data-row={key}
      class={[isSelected && "row-selected", tone && `row-${tone}`].filter(Boolean).join(" ")}
    >
      {selection && (
        <td class="cell-check">
          <input
            type="checkbox"
            aria-label={`Select ${key}`}
            checked={isSelected}
            onChange={() => selection.onChange(toggled(selection.selected, key))}
          />
        </td>
      )}
      {columns.map((column) => {
        const content = column.cell(row);
        return (
          <td key={column.key} class={classOf(column)} data-title={column.title}>
            {column.isName && hrefOf
              ? <a class="row-link" data-row-link href={hrefOf(row)}>{content}</a>
              : content}
          </td>
        );
      })}
      {actions && <td class="cell-actions">{actions(row)}</td>}
    </tr>
  );
}

function classOf<Row>({ isNumber, isWide, isName }: Column<Row>): string {
  return [isNumber && "cell-number", isWide && "cell-wide", isName && "cell-name"].filter(Boolean)
    .join(" ");
}

function withAll(selected: ReadonlySet<string>, keys: readonly string[]): ReadonlySet<string> {
  const all = new Set(selected);
  if (keys.every((key) => all.has(key))) { for (const key of keys) all.delete(key); }
  else for (const key of keys) all.add(key);
  return all;
}

function toggled(selected: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const changed = new Set(selected);
  if (!changed.delete(key)) changed.add(key);
  return changed;
}
