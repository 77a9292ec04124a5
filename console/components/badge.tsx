/** States, by a word and an icon and only then by a colour. */

import type { ComponentChildren, JSX } from "preact";
import { Icon, type IconName } from "./icon.tsx";

/** The colour of a state. */
export type Tone = "ok" | "warn" | "bad" | "info" | "quiet";

const ICONS: Readonly<Record<Tone, IconName>> = {
  ok: "ok",
  warn: "warn",
  bad: "bad",
  info: "info",
  quiet: "dot",
};

/** Properties of a badge. */
export interface BadgeProps {
  readonly tone: Tone;
  /** Default: the tone's own. */
  readonly icon?: IconName;
  readonly title?: string | undefined;
  readonly children: ComponentChildren;
}

/** A small label of a state. */
export function Badge({ tone, icon = ICONS[tone], title, children }: BadgeProps): JSX.Element {
  return (
    <span class={`badge badge-${tone}`} title={title}>
      <Icon name={icon} />
      <span>{children}</span>
    </span>
  );
}
