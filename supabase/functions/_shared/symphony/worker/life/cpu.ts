/**
 * CPU time of this process. The platform kills a process at 2 s of CPU, and sends it no more requests after
 * 1 s. It counts over all requests, so a later request has less CPU time than the first.
 */

interface Process {
  cpuUsage?: () => { readonly user: number; readonly system: number };
}

let isTold = true;

/**
 * Ms of CPU that this process has used, all its threads together; 0 if the runtime does not tell. If the
 * process serves more than this worker, the reading is too high: runs end early, but never late.
 */
export function processCpuMs(): number {
  if (!isTold) return 0;
  try {
    const usage = (globalThis as { process?: Process }).process?.cpuUsage?.();
    return usage ? (usage.user + usage.system) / 1000 : 0;
  } catch {
    return 0;
  }
}

// The first reading is taken when the function is loaded, which is closest to where the platform starts.
const atLoad = firstReading();
isTold = atLoad > 0;

/** Deno 2.1.4 tells no CPU time: each reading is 0, and writes a warning into the function's log. */
function firstReading(): number {
  const { warn } = console;
  console.warn = () => {};
  const reading = processCpuMs();
  console.warn = warn;
  return reading;
}

/** Share of the allowance that a run has in any case: a process that gets no more requests at 1 s has 1 s left. */
const LEAST_SHARE = 1 / 2;

/**
 * Ms of CPU that a run which begins now may use: the unused part of the process's allowance, and half of the
 * allowance in any case, because a process lives on where the platform does not count CPU.
 * @param allowanceMs for the process; 0 is no limit
 * @param usedMs what the process has used since it was loaded
 */
export function cpuShare(allowanceMs: number, usedMs: number = processCpuMs() - atLoad): number {
  if (allowanceMs === 0) return Infinity;
  return Math.max(allowanceMs - usedMs, allowanceMs * LEAST_SHARE);
}
