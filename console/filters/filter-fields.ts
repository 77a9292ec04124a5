/** The fields that lists can be filtered by, and the filter as the query of the page's address. */

/** A field of a filter. */
export interface FilterField {
  /** Name in the address and in the API's query. */
  readonly name: string;
  /** Name for operators, which they may type before a colon. */
  readonly label: string;
  /** The part of a message that it matches, in a few words. */
  readonly hint: string;
  /** Its values: any text, one of `choices`, or a moment such as `2h` or an ISO time. */
  readonly kind: "text" | "choice" | "moment";
  readonly choices?: readonly string[];
  /** A text that is typed without a field's name belongs to this field. */
  readonly takesAnyText?: boolean;
}

/** Values by the names of their fields. A field that is left out matches all. */
export type Filter = Readonly<Record<string, string>>;

/** Longest value that is taken from an address. */
const LONGEST_VALUE = 1_000;

/**
 * Reads the filter of an address.
 * @param query such as `type=EmailMessage&queue=mail`; unknown names and values that cannot be are left out, since
 * a link may come from another release
 */
export function readFilter(fields: readonly FilterField[], query: string): Filter {
  const params = new URLSearchParams(query);
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = params.get(field.name);
      return value !== null && problemOf(field, value) === null ? [[field.name, value]] : [];
    }),
  );
}

/**
 * Why values of an address cannot be read. A list without them would show more than the link means.
 * @param query as in `readFilter`; unknown names are none of the filter's, and no problem
 */
export function problemsOfQuery(fields: readonly FilterField[], query: string): string[] {
  const params = new URLSearchParams(query);
  return fields.flatMap((field) => {
    const value = params.get(field.name);
    return value === null ? [] : problemOf(field, value) ?? [];
  });
}

/** Sets a field, or removes it if the value is null. */
export function withField(filter: Filter, name: string, value: string | null): Filter {
  const rest = Object.entries(filter).filter(([key]) => key !== name);
  return Object.fromEntries(value === null ? rest : [...rest, [name, value]]);
}

/** Why a value cannot be one of this field; null if it can. */
export function problemOf(field: FilterField, value: string): string | null {
  if (value.trim() === "") return `${field.label}: is empty; give a value`;
  if (value.length > LONGEST_VALUE) {
    return `${field.label}: is too long; has to be at most 1,000 characters`;
  }
  if (field.kind === "choice" && !field.choices?.includes(value)) {
    return `${field.label}: has to be one of ${field.choices?.join(", ")}`;
  }
  if (field.kind === "moment" && toMoment(value, 0) === null) {
    return `${field.label}: has to be a time ago such as 30m, 2h or 7d, or an ISO time`;
  }
  return null;
}

const AGO = /^(\d{1,4})\s*(m|h|d|w)$/;
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * The moment that a value of a filter stands for.
 * @param value `2h` for two hours ago, or an ISO date or time; UTC if it names no zone
 * @param now in ms since 1970
 * @returns an ISO time; null if it is neither
 */
export function toMoment(value: string, now: number): string | null {
  const [, count, unit] = AGO.exec(value.trim()) ?? [];
  if (unit !== undefined) {
    return new Date(now - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]).toISOString();
  }
  if (!ISO.test(value)) return null;
  const hasZone = !value.includes("T") || /Z|[+-]\d\d:\d\d$/.test(value);
  const time = Date.parse(hasZone ? value : `${value}Z`);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

/**
 * The fields of a request of the API: relative moments become exact ones.
 * @param now in ms since 1970
 */
export function toRequest(
  fields: readonly FilterField[],
  filter: Filter,
  now: number,
): Record<string, string> {
  return Object.fromEntries(
    fields.flatMap(({ name, kind }) => {
      const value = filter[name];
      if (value === undefined) return [];
      return [[name, kind === "moment" ? toMoment(value, now) ?? value : value]];
    }),
  );
}
