// Watches the things that `deno task start` depends on: its launcher process, and its data folder.
import { StackError } from "./errors.ts";

const LOOK_EVERY_MS = 500;

/** A process that runs; a later one of the same number has another start. */
interface Process {
  pid: number;
  startedAt: string;
}

/**
 * Calls back once when a program that this process was started through has ended: `npx`, its shell,
 * `deno task`. A signal to one of them does not reach the others. Returns a function that ends the watch.
 */
export function watchLaunchers(onEnded: () => void): () => void {
  const parent = Deno.ppid;
  const launchers = findLaunchers(parent);
  return watch(
    () =>
      Deno.ppid !== parent ||
      launchers.some(({ pid, startedAt }) => read(pid)?.startedAt !== startedAt),
    onEnded,
  );
}

/**
 * Calls back once, with an error for people, when a folder is deleted or replaced by another one.
 * Returns a function that ends the watch.
 */
export function watchFolder(path: string, onGone: (error: StackError) => void): () => void {
  const before = identityOf(path);
  return watch(
    () => identityOf(path) !== before,
    () => onGone(new StackError(`the data folder ${path} is gone: the stack has ended`)),
  );
}

/** Which file or folder a path means; undefined where there is none. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}

function watch(isOver: () => boolean, onOver: () => void): () => void {
  const timer = setInterval(() => {
    if (!isOver()) return;
    clearInterval(timer);
    onOver();
  }, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}

/** The ancestors that only start others, up to the first one that does more, such as a terminal's shell. */
function findLaunchers(parent: number): Process[] {
  const found: Process[] = [];
  for (let pid = parent; pid > 1;) {
    const process = read(pid);
    if (!process || !launches(process.commandLine)) break;
    found.push(process);
    pid = process.parent;
  }
  return found;
}

/**
 * Whether a process only starts others, by its command line. npm writes a title in the place of its own:
 * one text, with the arguments of the command and their slashes.
 */
export function launches(commandLine: readonly string[]): boolean {
  const [title = "", ...others] = commandLine;
  const isTitle = others.every((text) => text === "");
  const [program = "", ...args] = isTitle ? title.split(" ") : commandLine;
  const name = program.slice(program.lastIndexOf("/") + 1);
  if (/^(sh|dash|bash)$/.test(name)) return args[0] === "-c" && /\bdeno\b/.test(args[1] ?? "");
  return /^(deno|node|np[mx])\b/.test(name) &&
    [name, ...args].some((text) => /\bdeno\b/.test(text));
}

/** Reads a process's state from /proc; undefined if the process has ended or there is no /proc. */
function read(pid: number): Process & { parent: number; commandLine: string[] } | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return undefined;
    const commandLine = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
    return { pid, parent: Number(fields[1]), startedAt: fields[19] ?? "", commandLine };
  } catch {
    return undefined;
  }
}
