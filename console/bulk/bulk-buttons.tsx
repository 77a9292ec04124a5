/** Buttons for the selection of a list, or for everything that its filter matches. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../components/controls.tsx";
import type { IconName } from "../components/icon.tsx";
import { formatNumber } from "../components/relative-time.ts";
import { useCanChange } from "../shell/session.tsx";
import type { BulkAction, BulkVerb } from "./bulk-action.ts";
import { BulkDialog } from "./bulk-dialog.tsx";
import { VERBS } from "./bulk-words.ts";

/** Properties of the buttons. */
export interface BulkButtonsProps {
  readonly verbs: readonly BulkVerb[];
  /** `dead letter`, `message`; one whose plural has an s. */
  readonly noun: string;
  readonly selected: ReadonlySet<string>;
  readonly onClear: () => void;
  /** Which messages the filter means, in words. */
  readonly title: string;
  /** The request's fields of the filter; null: the filter cannot be a request's, so only a selection can. */
  readonly filterBody: (() => Record<string, unknown>) | null;
}

const ICONS: Readonly<Record<BulkVerb, IconName>> = {
  redrive: "reload",
  remove: "trash",
  cancel: "close",
  run: "play",
  resend: "reload",
  cancelOutbox: "close",
  runOutbox: "play",
  resendOutbox: "reload",
};

/** Shows them to those who may change something. */
export function BulkButtons(props: BulkButtonsProps): JSX.Element | null {
  const { verbs, noun, selected, onClear, title, filterBody } = props;
  const canChange = useCanChange();
  const [action, setAction] = useState<BulkAction | null>(null);
  if (!canChange) return null;
  const ids = [...selected];
  const open = (verb: BulkVerb) =>
    setAction(
      ids.length > 0
        ? { verb, ids, body: {}, title: selectionOf(ids.length, noun) }
        : { verb, ids: null, body: bodyOf(filterBody?.() ?? {}), title },
    );
  const isOff = ids.length === 0 && filterBody === null;
  return (
    <div class="bulk-buttons" role="group" aria-label={`Changes of many ${noun}s`}>
      <span class="muted" role="status">
        {ids.length > 0 ? `${formatNumber(ids.length)} selected` : "All that match:"}
      </span>
      {verbs.map((verb) => (
        <Button
          key={verb}
          icon={ICONS[verb]}
          isDisabled={isOff}
          onClick={() => open(verb)}
        >
          {VERBS[verb].verb}…
        </Button>
      ))}
      {ids.length > 0 && <Button tone="quiet" onClick={onClear}>Clear</Button>}
      {action && <BulkDialog action={action} onClose={() => setAction(null)} onStart={onClear} />}
    </div>
  );
}

function selectionOf(count: number, noun: string): string {
  return count === 1 ? `the selected ${noun}` : `${formatNumber(count)} selected ${noun}s`;
}

/** A request without a filter has to say that it means all. */
function bodyOf(filter: Record<string, unknown>): Record<string, unknown> {
  return Object.keys(filter).length > 0 ? filter : { all: true };
}
