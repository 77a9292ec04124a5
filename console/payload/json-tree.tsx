/** A JSON value as a tree: arrows move and open, and long parts come piece by piece. */

import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Icon } from "../components/icon.tsx";
import { formatNumber } from "../components/relative-time.ts";
import {
  type Json,
  rowsOf,
  setOpen,
  showMore,
  type TreeRow,
  type TreeState,
  UNTOUCHED,
} from "./json-rows.ts";
import { safeContent } from "./safe-text.tsx";
import { cutText } from "./visible-text.ts";

/** Properties of a tree. */
export interface JsonTreeProps {
  /** Says what it shows, for screen readers. */
  readonly label: string;
  readonly value: Json;
}

/** Shows a value. */
export function JsonTree({ label, value }: JsonTreeProps): JSX.Element {
  const [state, setState] = useState<TreeState>(UNTOUCHED);
  const [current, setCurrent] = useState("");
  const element = useRef<HTMLUListElement>(null);
  const hasMoved = useRef(false);
  const rows = useMemo(() => rowsOf(value, state), [value, state]);
  const at = Math.max(0, rows.findIndex((row) => idOf(row) === current));
  useEffect(() => {
    if (!hasMoved.current) return;
    hasMoved.current = false;
    element.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  }, [current, rows]);
  const move = (index: number) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (!row) return;
    hasMoved.current = true;
    setCurrent(idOf(row));
  };
  const act = useCallback((row: TreeRow) => {
    setCurrent(idOf(row));
    setState((before) => changed(before, row));
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[at];
    const step = isForOthers(event) ? null : keyOf(event.key, rows, at);
    if (!row || step === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (step === "act") act(row);
    else move(step);
  };
  return (
    <ul
      ref={element}
      class="tree"
      role="tree"
      aria-label={label}
      onKeyDown={onKeyDown}
    >
      {rows.map((row, index) => (
        <Row
          key={idOf(row)}
          row={row}
          isCurrent={index === at}
          onAct={() => act(row)}
        />
      ))}
    </ul>
  );
}

const isForOthers = ({ ctrlKey, metaKey, altKey, target }: KeyboardEvent) =>
  ctrlKey || metaKey || altKey || target instanceof HTMLButtonElement;

/** Rows with more to show have the pointer of what they continue. */
const idOf = ({ pointer, kind }: TreeRow) => kind === "more" ? `${pointer} more` : pointer;
const isContainer = ({ kind, size }: TreeRow) =>
  (kind === "object" || kind === "array") && size > 0;
const isCut = ({ kind, size, text }: TreeRow) => kind === "string" && text.length < size;

function changed(state: TreeState, row: TreeRow): TreeState {
  if (row.kind === "more" || isCut(row)) return showMore(state, row);
  return isContainer(row) ? setOpen(state, row.pointer, !row.isOpen) : state;
}

/** The effect of a key: the row to go to, or to act on this one; null: none. */
function keyOf(key: string, rows: readonly TreeRow[], at: number): number | "act" | null {
  const row = rows[at];
  if (!row) return null;
  switch (key) {
    case "ArrowDown":
      return at + 1;
    case "ArrowUp":
      return at - 1;
    case "Home":
      return 0;
    case "End":
      return rows.length - 1;
    case "Enter":
    case " ":
      return "act";
    case "ArrowRight":
      return isContainer(row) ? (row.isOpen ? at + 1 : "act") : null;
    case "ArrowLeft":
      if (isContainer(row) && row.isOpen) return "act";
      return rows.slice(0, at).findLastIndex(({ level }) => level < row.level);
    default:
      return null;
  }
}

interface RowProps {
  readonly row: TreeRow;
  readonly isCurrent: boolean;
  /** The same function for all rows and renders. */
  readonly onAct: (row: TreeRow) => void;
}

/** Rows that stay as they are cost nothing when others are added: the same element is not compared. */
function Row({ row, isCurrent, onAct }: RowProps): JSX.Element {
  const { kind, level, key, place, siblings, isOpen, text, size, pointer } = row;
  return useMemo(() => {
    const opens = isContainer(row);
    return (
      <li
        role="treeitem"
        class={`tree-row tree-${kind}${opens ? " tree-opens" : ""}`}
        aria-level={level}
        aria-posinset={place}
        aria-setsize={siblings}
        aria-expanded={opens ? isOpen : undefined}
        tabIndex={isCurrent ? 0 : -1}
        style={{ "--level": String(Math.min(level, 20) - 1) }}
        onClick={opens || kind === "more" ? () => onAct(row) : undefined}
      >
        {opens && (
          <span class="tree-mark" aria-hidden="true">
            <Icon name="next" />
          </span>
        )}
        {key !== null && <span class="tree-key">{safeContent(cutText(key, 200))}</span>}
        <Value row={row} onMore={() => onAct(row)} />
      </li>
    );
  }, [pointer, kind, level, place, siblings, isOpen, text, size, isCurrent]);
}

function Value({ row, onMore }: { readonly row: TreeRow; readonly onMore: () => void }) {
  const { kind, text, size } = row;
  if (kind === "object" || kind === "array") {
    const empty = kind === "object" ? "{ }" : "[ ]";
    return <span class="tree-size">{size === 0 ? empty : text}</span>;
  }
  if (kind !== "string") return <span class="tree-value">{text}</span>;
  return (
    <span class="tree-value">
      {text === "" ? <span class="tree-size">empty text</span> : safeContent(text)}
      {isCut(row) && (
        <button type="button" class="tree-more" tabIndex={-1} onClick={onMore}>
          … {formatNumber(size - text.length)} more characters
        </button>
      )}
    </span>
  );
}
