/**
 * Accepted names of time zones: those of the IANA database that mean one place, and UTC. An abbreviation
 * may mean several places: BST is London's summer time, and Bangladesh for Intl.
 */

const AREAS = [
  ...["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe"],
  ...["Indian", "Pacific", "Brazil", "Canada", "Chile", "Mexico", "US"],
];
const PLACE = new RegExp(`^(?:(?:Etc/)?UTC|(?:${AREAS.join("|")})(?:/[A-Za-z0-9_+-]+)+)$`, "i");

/** Places whose people use the abbreviation. */
const ABBREVIATIONS: Readonly<Record<string, readonly string[]>> = {
  ACT: ["Australia/Darwin", "America/Rio_Branco"],
  AEST: ["Australia/Sydney", "Australia/Brisbane"],
  AET: ["Australia/Sydney"],
  AKST: ["America/Anchorage"],
  AST: ["America/Halifax", "America/Puerto_Rico", "Asia/Riyadh"],
  BST: ["Europe/London", "Asia/Dhaka"],
  CAT: ["Africa/Harare"],
  CET: ["Europe/Berlin", "Europe/Paris"],
  CST: ["America/Chicago", "Asia/Shanghai", "America/Havana"],
  CST6CDT: ["America/Chicago"],
  EAT: ["Africa/Nairobi"],
  ECT: ["America/Guayaquil", "Europe/Paris"],
  EET: ["Europe/Helsinki", "Africa/Cairo"],
  EST: ["America/New_York", "America/Panama"],
  EST5EDT: ["America/New_York"],
  GMT: ["UTC", "Europe/London"],
  HST: ["Pacific/Honolulu"],
  IST: ["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"],
  JST: ["Asia/Tokyo"],
  KST: ["Asia/Seoul"],
  MET: ["Europe/Berlin"],
  MSK: ["Europe/Moscow"],
  MST: ["America/Denver", "America/Phoenix"],
  MST7MDT: ["America/Denver"],
  NST: ["America/St_Johns"],
  NZST: ["Pacific/Auckland"],
  PST: ["America/Los_Angeles", "Asia/Manila"],
  PST8PDT: ["America/Los_Angeles"],
  SGT: ["Asia/Singapore"],
  SST: ["Pacific/Pago_Pago", "Asia/Singapore"],
  WET: ["Europe/Lisbon"],
  Z: ["UTC"],
};

const MOST_OFFERED = 3;

/** Tells whether a name has the form of one place, `Area/Location`, or means UTC. */
export function isPlace(name: string): boolean {
  return PLACE.test(name);
}

/** Similar names, the most similar first; empty if there is none. */
export function nearZones(name: string): readonly string[] {
  const known = ABBREVIATIONS[name.toUpperCase().replace(/D(?=T$)/, "S")] ??
    ABBREVIATIONS[name.toUpperCase()];
  if (known) return known;
  const canonical = canonicalName(name);
  if (canonical !== undefined) return isPlace(canonical) ? [canonical] : ["UTC"];
  const wanted = plain(name);
  if (wanted.length < 3) return [];
  return ["UTC", ...Intl.supportedValuesOf("timeZone").filter(isPlace)]
    .map((zone) => ({ zone, distance: distanceTo(wanted, zone) }))
    .filter(({ distance }) => distance <= wanted.length / 4)
    .sort((one, other) => one.distance - other.distance)
    .slice(0, MOST_OFFERED)
    .map(({ zone }) => zone);
}

/** The place that a link such as `Japan` means; undefined if Intl does not know the name. */
function canonicalName(name: string): string | undefined {
  // A text without a letter at its start is an offset.
  if (!/^[a-z]/i.test(name)) return undefined;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** Edit distance of a text from a zone's whole name, or from its location alone, whichever is smaller. */
function distanceTo(wanted: string, zone: string): number {
  const location = zone.slice(zone.lastIndexOf("/") + 1);
  return Math.min(...[zone, location].map((name) => editDistance(wanted, plain(name))));
}

function plain(name: string): string {
  return name.slice(0, 64).toLowerCase().replace(/[^a-z/]/g, "");
}

/** Levenshtein distance: letters added, removed or changed. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [place, other] of [...to].entries()) {
      const change = (row[place] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(change, (row[place + 1] ?? 0) + 1, (next[place] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
