/** The operators' command in a test's process. */

import { run } from "../../cli/main.ts";
import type { TestStack } from "./stack.ts";

/** How a command ended, and what it wrote. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The environment of a command. */
export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly showsProgress?: boolean;
  readonly signal?: AbortSignal;
  readonly columns?: number;
  /** Called with each text of stdout. */
  readonly heard?: (text: string) => void;
}

/** Runs a command line; words stand apart by spaces. */
export async function say(line: string | readonly string[], given: Given = {}): Promise<Said> {
  const [out, err]: [string[], string[]] = [[], []];
  const { env = {}, input = "", heard, ...more } = given;
  const code = await run(typeof line === "string" ? line.split(" ").filter(Boolean) : line, {
    variable: (name) => env[name],
    print: (text) => {
      out.push(text);
      heard?.(text);
    },
    note: (text) => void err.push(text),
    input: () => Promise.resolve(input),
    now: () => new Date(),
    ...more,
  });
  return { code, out: out.join("\n"), err: err.join("") };
}

/** Runs command lines against a stack, with its secret key. */
export function messenger({ url, secretKey }: TestStack) {
  const env = { SUPABASE_URL: url, SUPABASE_SECRET_KEY: secretKey };
  return (line: string | readonly string[], given: Given = {}) => say(line, { env, ...given });
}
