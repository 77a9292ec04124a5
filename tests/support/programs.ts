/** Programs that tests run, such as npm. */

const TIMEOUT_MS = 300_000;

/** How to run it. */
export interface ProgramOptions {
  readonly cwd?: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether an exit code other than 0 is a result and no error. */
  readonly mayFail?: boolean;
}

/** How it ended, and what it wrote. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end, which it has to reach within five minutes.
 * @throws Error with its output if it fails
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env, mayFail = false }: ProgramOptions = {},
): Promise<ProgramResult> {
  const child = new Deno.Command(program, {
    args: [...args],
    ...(cwd !== undefined && { cwd }),
    ...(env && { env: { ...env } }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const output = await child.output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  ) as [string, string];
  if (output.code !== 0 && !mayFail) {
    throw new Error(
      `${program} ${args.join(" ")}: ended with ${output.code}\n${stdout}\n${stderr}`,
    );
  }
  return { code: output.code, stdout, stderr };
}

/** Whether a program listens on a port of the loopback address. */
export async function isOpen(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
