/** Live updates: pause, resume, and how often. */

import type { JSX } from "preact";
import { LIVE_RATES, setLive, useLive } from "../api/live.ts";
import { Button } from "../components/controls.tsx";
import { formatDuration } from "../components/relative-time.ts";

/** The controls, in the bar above each page. */
export function LiveControl(): JSX.Element {
  const { isPaused, everyMs } = useLive();
  return (
    <div class="live">
      <span class={isPaused ? "live-state" : "live-state live-on"}>
        {isPaused ? "Paused" : "Live"}
      </span>
      <Button
        tone="quiet"
        icon={isPaused ? "play" : "pause"}
        label={isPaused ? "Resume live updates" : "Pause live updates"}
        onClick={() => setLive({ isPaused: !isPaused })}
      />
      <select
        aria-label="How often the page asks"
        value={String(everyMs ?? "")}
        disabled={isPaused}
        onChange={({ currentTarget: { value } }) =>
          setLive({ everyMs: value === "" ? null : Number(value) })}
      >
        <option value="">auto</option>
        {LIVE_RATES.map((rate) => (
          <option key={rate} value={String(rate)}>
            {formatDuration(rate).replace(".0", "")}
          </option>
        ))}
      </select>
    </div>
  );
}
