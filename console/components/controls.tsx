/** Buttons and fields. */

import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { Icon, type IconName } from "./icon.tsx";

/** Properties of a button. */
export interface ButtonProps {
  readonly children?: ComponentChildren;
  readonly icon?: IconName;
  /** Its name if it shows an icon alone; also its tooltip. */
  readonly label?: string | undefined;
  /** `primary`: what most come for; `danger`: it removes something; `quiet`: it has no frame. */
  readonly tone?: "primary" | "danger" | "quiet" | undefined;
  readonly type?: "button" | "submit";
  readonly isBusy?: boolean;
  readonly isDisabled?: boolean;
  readonly isPressed?: boolean;
  readonly onClick?: () => void;
}

/** A button. While it is busy it keeps its place and its focus. */
export function Button(
  { children, icon, label, tone, type = "button", isBusy, isDisabled, isPressed, onClick }:
    ButtonProps,
): JSX.Element {
  const names = ["button", tone && `button-${tone}`, !children && "button-icon"];
  return (
    <button
      type={type}
      class={names.filter(Boolean).join(" ")}
      aria-label={label}
      title={label}
      aria-busy={isBusy}
      aria-disabled={isBusy || isDisabled}
      disabled={isDisabled ?? false}
      aria-pressed={isPressed}
      onClick={(event) => {
        if (isBusy) return event.preventDefault();
        onClick?.();
      }}
    >
      {icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </button>
  );
}

/** Properties of a field. */
export interface FieldProps {
  readonly label: string;
  /** A sentence below it. */
  readonly hint?: string | undefined;
  /** The problem with its value, from the API or from the page. */
  readonly error?: string | undefined;
  /** Renders the input with this id, which the label and the texts refer to. */
  readonly children: (id: string, describedBy: string | undefined) => ComponentChildren;
}

/** A labelled input with its hint and its error. */
export function Field({ label, hint, error, children }: FieldProps): JSX.Element {
  const id = useId();
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class={`field${error ? " field-wrong" : ""}`}>
      <label for={id}>{label}</label>
      {children(id, describedBy || undefined)}
      {hint && <p class="field-hint" id={`${id}-hint`}>{hint}</p>}
      {error && <p class="field-error" id={`${id}-error`}>{error}</p>}
    </div>
  );
}
