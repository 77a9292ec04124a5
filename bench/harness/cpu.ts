/** CPU time of the processes that serve, from /proc: what a busy machine does not distort. */

/** CPU time so far, in ms. */
export interface ServerCpu {
  /** All of Postgres's processes, also those that have ended. */
  readonly postgres: number;
  readonly postgrest: number;
}

/** A process as the kernel knows it; times in ticks of 10 ms. */
interface Process {
  readonly name: string;
  readonly parent: number;
  readonly group: number;
  readonly own: number;
  /** Of its children that have ended. */
  readonly ended: number;
}

const MS_PER_TICK = 10;

/** Reads the CPU time of the server with this process id, and of the PostgREST that we started. */
export function serverCpu(postgresPid: number): ServerCpu {
  let [postgres, postgrest] = [0, 0];
  for (const { name } of Deno.readDirSync("/proc")) {
    const process = /^\d+$/.test(name) ? readProcess(name) : undefined;
    if (!process) continue;
    if (process.parent === Deno.pid && process.name === "postgrest") postgrest += process.own;
    if (Number(name) === postgresPid) postgres += process.own + process.ended;
    else if (process.parent === postgresPid) postgres += process.own;
  }
  return { postgres: postgres * MS_PER_TICK, postgrest: postgrest * MS_PER_TICK };
}

/** CPU time so far of one process with all of its threads, in ms; 0 where it has ended. */
export function cpuOf(pid: number): number {
  return (readProcess(String(pid))?.own ?? 0) * MS_PER_TICK;
}

/** CPU time so far of all processes of a group, in ms, those included that have ended in it. */
export function cpuOfGroup(group: number | undefined): number {
  let ticks = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    const process = /^\d+$/.test(name) ? readProcess(name) : undefined;
    if (process && process.group === group) ticks += process.own + process.ended;
  }
  return ticks * MS_PER_TICK;
}

/** How long the machine's cores were busy so far, all together, in ms; waiting for a disk is not. */
export function machineBusyMs(): number {
  const [, ...fields] = Deno.readTextFileSync("/proc/stat").split("\n", 1)[0]?.split(/ +/) ?? [];
  const [user, nice, system, _idle, _iowait, irq, softirq] = fields.map(Number);
  return [user, nice, system, irq, softirq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) *
    MS_PER_TICK;
}

/** Undefined for a process that has ended meanwhile. */
function readProcess(pid: string): Process | undefined {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return undefined;
  }
  const end = stat.lastIndexOf(")");
  const fields = stat.slice(end + 2).split(" ");
  const sum = (from: number) => Number(fields[from]) + Number(fields[from + 1]);
  return {
    name: stat.slice(stat.indexOf("(") + 1, end),
    parent: Number(fields[1]),
    group: Number(fields[2]),
    own: sum(11),
    ended: sum(13),
  };
}
