/** A payload, or other JSON of a message: as a tree and as text, to be copied. */

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Button } from "../components/controls.tsx";
import { formatNumber } from "../components/relative-time.ts";
import { CopyButton } from "./copy-button.tsx";
import type { Json } from "./json-rows.ts";
import { JsonTree } from "./json-tree.tsx";
import { RawText } from "./raw-text.tsx";

/** Properties of the view. */
export interface PayloadViewProps {
  /** Heading, such as `Payload`. */
  readonly title: string;
  readonly value: unknown;
  /** Whether the text is shown first, and not the tree. */
  readonly startsRaw?: boolean;
}

/** Shows a value. */
export function PayloadView({ title, value, startsRaw = false }: PayloadViewProps): JSX.Element {
  const [isRaw, setRaw] = useState(startsRaw);
  const text = useMemo(() => JSON.stringify(value, null, 2) ?? "", [value]);
  // The same text is the same value: a poll does not close what the operator has opened.
  const stable = useMemo(() => value as Json, [text]);
  const isContainer = typeof value === "object" && value !== null;
  return (
    <section class="panel payload">
      <header class="panel-header">
        <h2>{title}</h2>
        <span class="muted">{sizeOf(text)}</span>
        <span class="panel-space" />
        {isContainer && (
          <div class="switch" role="group" aria-label={`${title} as`}>
            <Button tone="quiet" isPressed={!isRaw} onClick={() => setRaw(false)}>Tree</Button>
            <Button tone="quiet" isPressed={isRaw} onClick={() => setRaw(true)}>Raw</Button>
          </div>
        )}
        <CopyButton title={title} text={text} />
      </header>
      {isRaw || !isContainer
        ? <RawText label={`${title}, raw`} text={text} />
        : <JsonTree label={title} value={stable} />}
    </section>
  );
}

/** Size of a text in UTF-16 code units, in words. */
function sizeOf({ length }: string): string {
  if (length < 10_000) return `${formatNumber(length)} characters`;
  return length < 1_000_000
    ? `${formatNumber(Math.round(length / 1_000))} k characters`
    : `${formatNumber(Math.round(length / 100_000) / 10)} M characters`;
}
