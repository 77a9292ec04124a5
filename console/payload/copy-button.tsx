/** A button that copies a text. */

import type { JSX } from "preact";
import { Button } from "../components/controls.tsx";
import { toast } from "../components/toast.tsx";

/** Properties of the button. */
export interface CopyButtonProps {
  /** Names the text: `Payload`. */
  readonly title: string;
  readonly text: string;
}

/** Copies, and says so. */
export function CopyButton({ title, text }: CopyButtonProps): JSX.Element {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast(`${title} copied`);
    } catch {
      toast(`${title}: the browser does not let the page copy`, "bad");
    }
  };
  return <Button tone="quiet" icon="copy" label={`Copy ${title}`} onClick={() => void copy()} />;
}
