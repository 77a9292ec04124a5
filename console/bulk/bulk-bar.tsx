/** The progress of a change of many messages, on every page: it stops, and continues after a reload. */

import type { JSX } from "preact";
import { Badge, type Tone } from "../components/badge.tsx";
import { Button } from "../components/controls.tsx";
import { SafeText } from "../payload/safe-text.tsx";
import { useCanChange } from "../shell/session.tsx";
import { type BulkProgress, isAtWork, shareOf } from "./bulk-action.ts";
import { describeProgress, describeState, VERBS } from "./bulk-words.ts";
import { useBulk } from "./use-bulk.ts";

const TONES: Readonly<Record<BulkProgress["state"], Tone>> = {
  working: "info",
  stopping: "info",
  interrupted: "warn",
  stopped: "warn",
  failed: "bad",
  ended: "ok",
};

/** Shows the present change; nothing if there is none. */
export function BulkBar(): JSX.Element | null {
  const { runner, progress } = useBulk();
  const canChange = useCanChange();
  const works = progress !== null && isAtWork(progress);
  if (progress === null) return null;
  const { action, state, problem } = progress;
  const share = shareOf(progress);
  const canContinue = canChange && !works && state !== "ended";
  const title = `${VERBS[action.verb].verb} ${action.title}`;
  return (
    <section class="bulk-bar" aria-label="Change of many messages">
      <div class="bulk-line">
        <Badge tone={TONES[state]}>{describeState(progress)}</Badge>
        <span class="bulk-title">
          <SafeText text={title} longest={160} />
        </span>
        <span class="bulk-count" role="status">{describeProgress(progress)}</span>
        <span class="bulk-actions">
          {works && (
            <Button isDisabled={state === "stopping"} onClick={() => runner.stop()}>Stop</Button>
          )}
          {canContinue && (
            <Button tone="primary" onClick={() => void runner.resume()}>Continue</Button>
          )}
          {!works && (
            <Button
              tone="quiet"
              icon="close"
              label={state === "ended" ? "Close" : "Dismiss"}
              onClick={() => runner.dismiss()}
            />
          )}
        </span>
      </div>
      <progress aria-label={title} max={1} value={share ?? undefined} />
      {problem !== null && (
        <p class="field-error" role="alert">
          <SafeText text={problem} longest={500} />
        </p>
      )}
    </section>
  );
}
