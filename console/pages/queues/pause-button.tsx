/** The button that pauses a queue, or resumes it. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { toProblem } from "../../api/api-problem.ts";
import { useAction } from "../../api/use-action.ts";
import { Button } from "../../components/controls.tsx";
import { toast } from "../../components/toast.tsx";
import { useApi } from "../../shell/session.tsx";

/** Properties of the button. */
export interface PauseButtonProps {
  readonly queue: Pick<Schemas["Queue"], "name" | "paused">;
  readonly onDone: () => void;
}

/** Both can be taken back at once, so that neither asks first. */
export function PauseButton({ queue: { name, paused }, onDone }: PauseButtonProps): JSX.Element {
  const api = useApi();
  const action = useAction(async () => {
    const asked = { params: { path: { name } } };
    try {
      await answerOf(
        paused ? api.POST("/queues/{name}/resume", asked) : api.POST("/queues/{name}/pause", asked),
      );
    } catch (error) {
      // A row has no room for the problem, and the operator may be on another page.
      toast(`${name} is not changed: ${toProblem(error).message}`, "bad");
      throw error;
    }
    toast(paused ? `${name} is resumed` : `${name} is paused: its messages wait`);
    onDone();
  });
  return (
    <Button
      icon={paused ? "play" : "pause"}
      isBusy={action.isRunning}
      onClick={() => void action.run()}
      label={paused ? `Resume ${name}` : `Pause ${name}`}
    >
      {paused ? "Resume" : "Pause"}
    </Button>
  );
}
