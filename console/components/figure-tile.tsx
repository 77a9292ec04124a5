/** One number that operators look for first. */

import type { ComponentChildren, JSX } from "preact";
import { Icon } from "./icon.tsx";

/** Properties of a tile. */
export interface FigureTileProps {
  readonly label: string;
  readonly value: ComponentChildren;
  /** A few words below it. */
  readonly note?: ComponentChildren;
  /** Marks a number that needs attention; an icon says it too. */
  readonly tone?: "bad" | "warn" | undefined;
  /** Where its details are, from `hrefTo`. */
  readonly href?: string;
}

/** Shows a number. */
export function FigureTile({ label, value, note, tone, href }: FigureTileProps): JSX.Element {
  const content = (
    <>
      <span class="tile-label">
        {tone && <Icon name={tone === "bad" ? "bad" : "warn"} />}
        {label}
      </span>
      <span class="tile-value">{value}</span>
      {note && <span class="tile-note">{note}</span>}
    </>
  );
  const name = `tile${tone ? ` tile-${tone}` : ""}`;
  return href ? <a class={name} href={href}>{content}</a> : <div class={name}>{content}</div>;
}

/** A row of tiles. */
export function FigureTiles({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <div class="tiles">{children}</div>;
}
