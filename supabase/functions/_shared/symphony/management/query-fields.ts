/** Fields that several requests and answers of the management API share. */

import { z } from "@hono/zod-openapi";
import { momentField } from "../http/field-schemas.ts";

const FIRST_MOMENT = Date.parse("0001-01-01T00:00:00Z");
const LAST_MOMENT = Date.parse("9999-12-31T23:59:59.999Z");

/** The arguments of `refine` for a text that Postgres can hold. */
export const HELD_BY_POSTGRES = [
  (value: string) => !/[\0\p{Cs}]/u.test(value),
  "holds U+0000 or half of a surrogate pair",
] as const;

/** Text that Postgres can hold. */
export const text = (longest: number) => z.string().min(1).max(longest).refine(...HELD_BY_POSTGRES);

/** Id of a message or a schedule. */
export const id = z.string().regex(/^\d{1,18}$/, "has to be an id: up to 18 digits").openapi({
  example: "42",
});

/** Name of a message type. */
export const typeName = text(200).openapi({ example: "EmailMessage" });

/** Name of an endpoint, and of what else operators name. */
export const plainName = z.string()
  .regex(/^[A-Za-z0-9_.:-]{1,100}$/, "has to be 1 to 100 letters, digits or _ . : -");

/** Name of a queue, or of a lane of one. */
export const queueName = z.string()
  .regex(
    /^[A-Za-z0-9_.:-]{1,100}(\/([A-Za-z0-9_.:-]|%[0-9A-F]{2}){1,100})?$/,
    "has to be 1 to 100 letters, digits or _ . : -",
  )
  .openapi({
    description: "Behind a slash the lane, in which %XX is any other byte",
    example: "default",
  });

/** A moment in a request. */
export const moment = momentField.refine(
  (date) => isStorable(date.getTime()),
  "has to lie in the years 1 to 9999",
);

/** A moment in a cursor, to the microsecond. */
export const exactMoment = z.iso.datetime({ offset: true })
  .refine((value) => isStorable(Date.parse(value)));

function isStorable(time: number): boolean {
  return time >= FIRST_MOMENT && time <= LAST_MOMENT;
}

/** A moment in an answer. */
export const time = z.string().openapi({ format: "date-time" });

/** A whole number of a bigint column in an answer. SQL may write one that JavaScript does not hold exactly. */
export const bigNumber = z.number().openapi({ type: "integer" });

/** A whole number of a bigint column that may be null. */
export const bigNumberOrNull = z.number().nullable().openapi({ type: ["integer", "null"] });

/** A number of the query string. */
export const queryNumber = (smallest: number, largest: number, fallback: number) => {
  const message = `has to be a whole number from ${smallest} to ${largest}`;
  return z.string().regex(/^\d{1,9}$/, message).transform(Number)
    .pipe(z.number().min(smallest, message).max(largest, message))
    .default(fallback)
    .openapi({ type: "integer", minimum: smallest, maximum: largest, default: fallback });
};

/** A flag of the query string. */
export const queryFlag = z.enum(["true", "false"]).transform((flag) => flag === "true")
  .openapi({ type: "boolean" });

/** Number of entries on a page. */
export const limit = queryNumber(1, 200, 50);

/**
 * A cursor: the place where the page before ended, as base64url of JSON. Callers must not read its content.
 * @param position schema of the content
 */
export const cursor = <Position extends z.ZodType>(position: Position) =>
  z.string().max(500).transform((value, ctx): z.output<Position> => {
    const parsed = position.safeParse(decode(value));
    if (parsed.success) return parsed.data;
    ctx.addIssue({ code: "custom", message: "has to be the `next` of the page before" });
    return z.NEVER;
  }).optional().openapi({ type: "string", description: "`next` of the page before" });

/** `next` of an answer. */
export const next = z.string().nullable().openapi({
  description: "Cursor of the next page; null on the last one",
});

/** Makes a cursor; null of null. */
export function toCursor(position: unknown): string | null {
  if (position === null || position === undefined) return null;
  return btoa(JSON.stringify(position)).replaceAll("+", "-").replaceAll("/", "_");
}

function decode(value: string): unknown {
  try {
    return JSON.parse(atob(value.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return undefined;
  }
}

/** A number that is not counted to its end on a large table. */
export const count = z.object({
  count: z.int(),
  capped: z.boolean().openapi({ description: "There are more than `count`" }),
}).openapi("Count");

/** Refuses a range of time that ends where it begins, or before: `createdFrom` and `createdUntil`, and their like. */
export function withRanges<Fields extends z.ZodObject>(fields: Fields): Fields {
  const ranges = Object.keys(fields.shape).filter((name) => name.endsWith("From"))
    .map((from) => ({ from, until: from.replace(/From$/, "Until") }));
  return ranges.reduce((all, { from, until }) =>
    all.refine((given) => {
      const moments = new Map<string, unknown>(Object.entries(given));
      return !isBefore(moments.get(until), moments.get(from));
    }, { path: [until], message: `has to come after ${from}` }), fields);
}

/** Tells whether the first moment is not after the second; false if one is missing. */
function isBefore(until: unknown, from: unknown): boolean {
  return new Date(String(until)).getTime() <= new Date(String(from)).getTime();
}

/**
 * Refuses a body without a filter unless it says `all`.
 * @param names of the filter's fields
 */
export function asksForSome<Body extends z.ZodObject>(body: Body, names: readonly string[]) {
  const given = (fields: object) =>
    names.filter((name) =>
      Object.entries(fields).some(([key, value]) => key === name && value !== undefined)
    );
  return withRanges(body)
    .refine((fields) => given(fields).length > 0 || fields.all === true, {
      path: [],
      message: `give at least one of ${names.join(", ")}, or all`,
    })
    .refine((fields) => given(fields).length === 0 || fields.all !== true, {
      path: ["all"],
      message: "goes with no filter",
    });
}
