/** The environment's variables, on Deno and on Node: the package runs on both. */

interface Runtime {
  readonly Deno?: {
    readonly env: { get(name: string): string | undefined; toObject(): Record<string, string> };
  };
  readonly process?: { readonly env: Readonly<Record<string, string | undefined>> };
}

const runtime = globalThis as Runtime;

/** Reads a variable; undefined if it is not set. */
export function variable(name: string): string | undefined {
  return runtime.Deno ? runtime.Deno.env.get(name) : runtime.process?.env[name];
}

/** Names of all variables that are set. */
export function variableNames(): string[] {
  return Object.keys(runtime.Deno?.env.toObject() ?? runtime.process?.env ?? {});
}
