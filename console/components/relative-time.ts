/** Times and numbers as people read them. Pure. */

const UNITS: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];

/** A duration in ms by its two largest units: `1 h 5 min`, `420 ms`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  const sign = ms < 0 ? "−" : "";
  let rest = Math.abs(ms);
  if (rest < 1_000) return `${sign}${Math.round(rest)} ms`;
  if (rest < 10_000) return `${sign}${(rest / 1_000).toFixed(1)} s`;
  const parts: string[] = [];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return sign + parts.join(" ");
}

/** A duration in ms by its largest unit: `5 min`. */
export function formatAge(ms: number): string {
  const [unit, length] = UNITS.find(([, length]) => ms >= length) ?? ["s", 1_000];
  return `${Math.floor(ms / length)} ${unit}`;
}

/** How far a moment is from now, in one unit: `5 min ago`, `in 2 h`, `now`. */
export function formatRelative(at: number, now: number): string {
  const distance = Math.abs(at - now);
  if (distance < 1_000) return "now";
  const text = formatAge(distance);
  return at < now ? `${text} ago` : `in ${text}`;
}

/** A moment exactly, in UTC and in the operator's zone, for a tooltip. */
export function formatExact(at: number): string {
  const date = new Date(at);
  const utc = date.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");
  const local = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  return `${utc}\n${local}`;
}

/** A number with its thousands apart, or short: `12.3k`. */
export function formatNumber(value: number, { isShort = false } = {}): string {
  if (!Number.isFinite(value)) return "–";
  if (isShort && Math.abs(value) >= 10_000) {
    return Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
  }
  return Intl.NumberFormat("en", { maximumFractionDigits: 2 }).format(value);
}

/** A count of the API, which ends at 10,000. */
export function formatCount({ count, capped }: { count: number; capped: boolean }): string {
  return `${formatNumber(count)}${capped ? "+" : ""}`;
}
