/** The button that pauses a queue, or resumes it. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { ChangeButton } from "../../components/change-button.tsx";
import { useApi } from "../../shell/session.tsx";

/** Properties of the button. */
export interface PauseButtonProps {
  readonly queue: Pick<Schemas["Queue"], "name" | "paused">;
  readonly onDone: () => void;
}

/** Both can be taken back at once, so that neither asks first. */
export function PauseButton({ queue: { name, paused }, onDone }: PauseButtonProps): JSX.Element {
  const api = useApi();
  const change = async () => {
    const asked = { params: { path: { name } } };
    const { paused: isPaused } = await answerOf(
      paused ? api.POST("/queues/{name}/resume", asked) : api.POST("/queues/{name}/pause", asked),
    );
    if (paused && isPaused) throw new Error("its queue is paused, and all its lanes with it");
    return paused ? `${name} is resumed` : `${name} is paused: its messages wait`;
  };
  return (
    <ChangeButton
      icon={paused ? "play" : "pause"}
      label={paused ? `Resume ${name}` : `Pause ${name}`}
      {...{ change, onDone }}
    >
      {paused ? "Resume" : "Pause"}
    </ChangeButton>
  );
}
