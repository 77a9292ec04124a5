/** Times on the wall clock of a zone, such as `2026-11-27T09:00:00+09:00`. Pure. */

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** Such a time in words. */
export interface DayWords {
  /** `Fri 2026-11-27` */
  readonly day: string;
  /** `09:00`, with seconds where they are not 0. */
  readonly time: string;
  /** `+09:00`, or `UTC`. */
  readonly offset: string;
}

/** Puts a time into words. */
export function dayWords(local: string): DayWords {
  const [, date = "", time = "", seconds = "", offset = ""] =
    /^(\d+-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(?:\.\d+)?)(.*)$/.exec(local) ?? [];
  const weekday = DAYS[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? "";
  return {
    day: `${weekday} ${date}`.trim(),
    time: /^:00(\.0+)?$/.test(seconds) ? time : `${time}${seconds}`,
    offset: /^(Z|[+-]00:00)$/.test(offset) ? "UTC" : offset,
  };
}

/** Whether the offset from UTC differs between times. */
export function offsetsChange(times: readonly string[]): boolean {
  return new Set(times.map((time) => dayWords(time).offset)).size > 1;
}
