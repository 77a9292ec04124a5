/** A video that takes its time, so that there is time to cancel it. */

import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import { pause } from "./pause.ts";

const SCENES_PER_SECOND = 2;

/** Renders a video. Its handler stops when the signal aborts: a user who cancels it frees the worker. */
export const RenderVideo = defineMessage({
  type: "RenderVideo",
  schema: z.object({ seconds: z.int().min(1).max(90) }),
  access: "authenticated",
  callerOptions: ["cancel"],
  keep: "1h",
  live: true,
  timeout: "2m",
  handler: async ({ seconds }, { progress, signal }) => {
    const scenes = seconds * SCENES_PER_SECOND;
    for (let scene = 1; scene <= scenes; scene++) {
      await pause(1000 / SCENES_PER_SECOND, signal);
      progress(scene / scenes, `scene ${scene} of ${scenes}`);
    }
  },
});
