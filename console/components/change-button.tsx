/** A button that changes something at once, without a question. */

import type { JSX } from "preact";
import { toProblem } from "../api/api-problem.ts";
import { useAction } from "../api/use-action.ts";
import { Button, type ButtonProps } from "./controls.tsx";
import { toast } from "./toast.tsx";

/** Properties of the button. */
export interface ChangeButtonProps extends Pick<ButtonProps, "icon" | "tone" | "children"> {
  /** The name of the button for screen readers, with the object: `Pause mail`. */
  readonly label: string;
  /** Makes the change; resolves to the words for what was done. */
  readonly change: () => Promise<string>;
  readonly onDone?: () => void;
}

/** A row has no room for a problem, and the operator may be on another page by then: a note tells it. */
export function ChangeButton({ change, onDone, ...button }: ChangeButtonProps): JSX.Element {
  const action = useAction(async () => {
    try {
      toast(await change());
    } catch (error) {
      toast(`${button.label}: ${toProblem(error).message}`, "bad");
      throw error;
    }
    onDone?.();
  });
  return <Button {...button} isBusy={action.isRunning} onClick={() => void action.run()} />;
}
