/**
 * A long text with the numbers of its lines. It stands in blocks that the browser lays out only while they are near
 * the screen, so that 1 MB is quick, and the browser's own search and selection work on all of it.
 */

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { safeContent } from "./safe-text.tsx";
import { linesOf } from "./text-lines.ts";

/** Properties of the text. */
export interface RawTextProps {
  /** Says what it shows, for screen readers. */
  readonly label: string;
  readonly text: string;
}

/** A longer line continues on the next one. */
const COLUMNS = 1_000;
const LINES_IN_BLOCK = 50;
/** Longest text that is shown; the copy has all of it. */
const LONGEST = 4_000_000;

/** Shows a text. */
export function RawText({ label, text }: RawTextProps): JSX.Element {
  const blocks = useMemo(() => {
    const lines = linesOf(text.slice(0, LONGEST), COLUMNS);
    const count = Math.ceil(lines.length / LINES_IN_BLOCK);
    return Array.from(
      { length: count },
      (_, index) => lines.slice(index * LINES_IN_BLOCK, (index + 1) * LINES_IN_BLOCK),
    );
  }, [text]);
  return (
    <div class="raw" role="region" aria-label={label} tabIndex={0}>
      {blocks.map((lines, block) => (
        <div key={block} class="raw-block" style={{ "--lines": String(lines.length) }}>
          {lines.map(({ number, text }, index) => (
            <div key={index} class="raw-line" data-number={number ?? "↳"}>
              {safeContent(text)}
            </div>
          ))}
        </div>
      ))}
      {text.length > LONGEST && <p class="muted">Too long to be shown whole; the copy is.</p>}
    </div>
  );
}
