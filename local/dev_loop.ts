// The developers' loop: a stack whose functions start again when a file of theirs changes. The code that
// runs is always the code on disk. A function that does not start answers 503, as a broken deploy does; the code
// before it is not kept, so that a test of old code is never mistaken for one of new code.
import { formatLogLine, isLogLine } from "./log_lines.ts";
import { PROJECT_DIR, type Stack, type StackOptions, startStack } from "./stack.ts";
import { watchCode } from "./watch_code.ts";

/** The stack that the loop runs, and where it prints. */
export interface DevLoopOptions {
  /** Options of the stack; the loop sets those of the functions' output itself. */
  stack: StackOptions;
  /** Called with each line, or with several that belong together. */
  print: (text: string) => void;
  /** Whether lines may have colours; default false. */
  isTerminal?: boolean;
  /** Files outside of the functions' folder that restart them; default: import_map.json and deno.json of the project. */
  alsoWatched?: readonly string[];
}

/** A running loop. */
export interface DevLoop extends AsyncDisposable {
  readonly stack: Stack;
  /** Ends the watch, then the stack. */
  stop(): Promise<void>;
}

/** The files that every function starts with. */
const FUNCTION_SETTINGS = [`${PROJECT_DIR}/import_map.json`, `${PROJECT_DIR}/deno.json`];
/** The name in the place of a function's, for lines of the loop itself. */
const OWN_NAME = "dev";

/**
 * Starts a stack and its functions, and watches the functions' folder and their import map. Functions that do not start are
 * told and do not stop the loop.
 * @throws StackError as `startStack` does
 */
export async function startDevLoop(options: DevLoopOptions): Promise<DevLoop> {
  const { print, isTerminal = false, alsoWatched = FUNCTION_SETTINGS } = options;
  /** While functions restart: what they print beside their log, by name. Such as why they do not start. */
  let held: Map<string, string[]> | undefined;
  const printLine = (name: string, text: string) => print(formatLogLine(name, text, isTerminal));
  const stack = await startStack({
    ...options.stack,
    onFunctionLine: (name, text) => {
      if (held === undefined || isLogLine(text)) return printLine(name, text);
      held.set(name, [...held.get(name) ?? [], text]);
    },
  });

  /** Restarts the functions; an error that several of them share is printed once. */
  const restart = async (reason: string) => {
    const startedAt = performance.now();
    held = new Map();
    const broken = await stack.restartFunctions();
    const lines = held;
    held = undefined;
    for (const [text, names] of groupByText(lines)) printLine(names.join(", "), text);
    const tookMs = Math.round(performance.now() - startedAt);
    if (broken.length === 0) return printLine(OWN_NAME, `${reason}: started in ${tookMs} ms`);
    printLine(OWN_NAME, `${reason}: ${broken.join(", ")} did not start; waiting for a change`);
  };
  const onChange = (paths: string[]) => restart(paths.join(", "));
  const watch = watchCode(stack.functionsDir, onChange, alsoWatched);
  await restart("all functions");
  const stop = async () => {
    await watch.stop();
    await stack.stop();
  };
  return { stack, stop, [Symbol.asyncDispose]: stop };
}

/** The texts that functions printed, each with the names of the functions that printed it. */
function groupByText(lines: ReadonlyMap<string, string[]>): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, texts] of [...lines].sort()) {
    const text = texts.join("\n");
    groups.set(text, [...groups.get(text) ?? [], name]);
  }
  return groups;
}
