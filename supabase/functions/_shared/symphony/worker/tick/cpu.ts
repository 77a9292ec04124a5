/**
 * CPU time of this process. The platform kills a worker at 2 s of CPU; at 1 s it retires it, so that no
 * request comes in any more: the count is the worker's, whose later requests have less than the first.
 */

interface Process {
  cpuUsage?: () => { readonly user: number; readonly system: number };
}

/**
 * Ms of CPU that this process has used, all its threads together; 0 where the runtime tells none. Where
 * the process is more than this worker the reading is too high: runs end early, but never late.
 */
export function processCpuMs(): number {
  try {
    const usage = (globalThis as { process?: Process }).process?.cpuUsage?.();
    return usage ? (usage.user + usage.system) / 1000 : 0;
  } catch {
    return 0;
  }
}

// The first reading is taken when the function is loaded, as near to the platform's as can be.
const atLoad = processCpuMs();

/** The part of its allowance that a run has in any case: retired at 1 s, a worker has 1 s left for it. */
const LEAST_SHARE = 1 / 2;

/**
 * Ms of CPU that a run which begins now may use: what the process has left of the allowance, and
 * half of it in any case, for a process may live on where the platform does not count.
 * @param allowanceMs for the process; 0 is no limit
 * @param usedMs what the process has used since it was loaded
 */
export function cpuShare(allowanceMs: number, usedMs: number = processCpuMs() - atLoad): number {
  if (allowanceMs === 0) return Infinity;
  return Math.max(allowanceMs - usedMs, allowanceMs * LEAST_SHARE);
}
