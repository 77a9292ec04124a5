/** When a schedule runs, in words. Cron expressions are described by a library that is loaded when it is needed. */

import { useEffect, useState } from "preact/hooks";
import { formatDuration } from "../../components/relative-time.ts";

/** When a schedule runs, as the API has it. */
export interface When {
  readonly type: "once" | "cron" | "interval";
  readonly config: Readonly<Record<string, unknown>>;
  readonly timezone: string;
}

const NICKNAMES: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Descriptions by expression; a page shows 50. */
const described = new Map<string, string | null>();
const MAX_DESCRIBED = 500;

/** The sentence for a cron expression; null if it has none, or the library does not come. */
export async function describeCron(cron: string): Promise<string | null> {
  const known = described.get(cron);
  if (known !== undefined) return known;
  const library = await import("cronstrue");
  const sentence = sentenceOf(library.default, cron);
  if (described.size >= MAX_DESCRIBED) described.clear();
  described.set(cron, sentence);
  return sentence;
}

function sentenceOf(
  library: { toString(expression: string, options: object): string },
  cron: string,
): string | null {
  try {
    return library.toString(NICKNAMES[cron.trim().toLowerCase()] ?? cron, {
      use24HourTimeFormat: true,
      throwExceptionOnParseError: true,
    });
  } catch {
    return null;
  }
}

/** The sentence for a cron expression, in a component; null until it is there. */
export function useCronWords(cron: string | null): string | null {
  const [words, setWords] = useState<{ cron: string; text: string | null } | null>(null);
  useEffect(() => {
    if (cron === null) return;
    let isCurrent = true;
    describeCron(cron).then(
      (text) => isCurrent && setWords({ cron, text }),
      // Without the library the expression itself is shown.
      () => {},
    );
    return () => void (isCurrent = false);
  }, [cron]);
  return words?.cron === cron ? words.text : null;
}

/** The expression of a cron schedule; null of others. */
export function cronOf({ type, config }: When): string | null {
  return type === "cron" && typeof config.cron === "string" ? config.cron : null;
}

/** Words for a schedule that is no cron expression. */
export function plainWords({ type, config }: When): string {
  if (type === "interval") return `Every ${shortDuration(Number(config.interval))}`;
  return "Once";
}

/** `1 h`, and not `1.0 s` or `5.0 min`. */
function shortDuration(ms: number): string {
  return formatDuration(ms).replace(/\.0 /, " ");
}
