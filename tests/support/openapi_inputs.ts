/** Makes requests from an OpenAPI document: most of a field's values fit its schema, some do not. */

import fc from "fast-check";

/** A schema of the document; only what the management API uses. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
}

/** An OpenAPI document. */
export interface Document {
  paths: Record<
    string,
    Record<string, {
      operationId: string;
      parameters?: { name: string; in: string; schema: Schema }[];
      requestBody?: { content: Record<string, { schema: Schema }> };
      responses: Record<string, unknown>;
    }>
  >;
  components: { schemas: Record<string, Schema> };
}

/** One request. */
export interface Input {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body?: string;
}

/** An operation of the document, and what makes requests to it. */
export interface Operation {
  readonly id: string;
  readonly statuses: readonly number[];
  readonly inputs: fc.Arbitrary<Input>;
}

/** Every operation that the document has. */
export function operationsOf(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters = [], ...operation }]) => {
      const part = (place: string) =>
        fc.record(
          Object.fromEntries(
            parameters.filter((parameter) => parameter.in === place)
              .map(({ name, schema }) => [name, written(name, schema, document)]),
          ),
          place === "path" ? {} : { requiredKeys: [] },
        );
      const schema = operation.requestBody?.content["application/json"]?.schema;
      return {
        id: operationId,
        statuses: Object.keys(operation.responses).map(Number),
        inputs: fc.tuple(part("path"), part("query"), rarely(stray), bodyOf(schema, document))
          .map(([params, query, extra, body]): Input => ({
            method: method.toUpperCase(),
            path: address(path, params, { ...query, ...(extra && { [extra]: "1" }) }),
            ...(body !== undefined && method !== "get" && { body }),
          })),
      };
    })
  );
}

function address(
  path: string,
  params: Readonly<Record<string, string | undefined>>,
  query: Readonly<Record<string, string | undefined>>,
): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? "");
  const search = Object.entries(query).map(([name, value]) =>
    `${encodeURIComponent(name)}=${value ?? ""}`
  );
  return search.length > 0 ? `${filled}?${search.join("&")}` : filled;
}

/** A parameter's value, as it stands in a URL; some are no proper encoding. */
function written(name: string, schema: Schema, document: Document): fc.Arbitrary<string> {
  const value = name === "cursor"
    ? fc.constantFrom(...CURSORS).map((json) => btoa(json))
    : mostly(schema, document, name);
  const encoded = value.map((value) =>
    encodeURIComponent(
      (typeof value === "string" ? value : JSON.stringify(value) ?? "").toWellFormed(),
    )
  );
  return fc.oneof(
    { weight: 30, arbitrary: encoded.filter((text) => !/^\.{0,2}$/.test(text)) },
    { weight: 1, arbitrary: fc.constantFrom("%00", "%E0%A4%A", "%ff", "%2e%2e", "%2F", "%27--") },
  );
}

function bodyOf(
  schema: Schema | undefined,
  document: Document,
): fc.Arbitrary<string | undefined> {
  // Where none is documented, only an empty one is right.
  const json = schema
    ? mostly(schema, document)
    : fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.jsonValue() });
  return fc.oneof(
    { weight: 20, arbitrary: json.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.constantFrom("[".repeat(20_000), '{"payload":' + "[".repeat(500)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        `{"payload":${"[".repeat(500)}${"]".repeat(500)}}`,
        '{"__proto__":{"ids":["1"]},"constructor":1}',
        '{"type":"Note","type":5}',
      ),
    },
  );
}

const rarely = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: 20, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const stray = fc.constantFrom("evil", "__proto__", "select", "limit[]", "id");

const nasty = fc.constantFrom(
  "a\0b",
  "\ud800",
  "\u2028",
  "'; drop table messenger_messages; --",
  "$1",
  "%",
  "-1",
  "1e9",
  "99999999999999999999",
  "0000-01-01T00:00:00Z",
  "9999-12-31T23:59:59-14:00",
  "+275760-09-13T00:00:00Z",
  "infinity",
  "NaN",
  "10000000000d",
  "* * * * *",
  "Europe/London",
  "x".repeat(5000),
);

const garbage = fc.oneof(fc.jsonValue(), nasty, fc.double(), fc.string({ unit: "binary" }));

/** Positions in lists; of each list some are right. */
const CURSORS = [
  ...['"1"', '"30"', '"default"', '["2999-01-01T00:00:00.123456Z","30"]'],
  ...[
    '["0000-01-01T00:00:00Z","1"]',
    '["x",1]',
    "null",
    "{}",
    "[[",
    "\u0000",
    '"99999999999999999999"',
  ],
];

const duration = fc.constantFrom("3m", "1h", 5000, 0, "10000000000d");

/** Values that have a meaning, by the name of the field. */
const MEANINGFUL: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  type: fc.constantFrom("Note", "Count", "cron", "interval", "once"),
  id: fc.integer({ min: 1, max: 40 }).map(String),
  ids: fc.array(fc.integer({ min: 1, max: 40 }).map(String), { minLength: 1 }),
  queue: fc.constantFrom("default", "mail", "x"),
  toQueue: fc.constantFrom("default", "mail", "y"),
  name: fc.constantFrom("default", "mail", "schedule 1", "z"),
  transport: fc.constantFrom("default", "mail", "x"),
  // Right for each type.
  payload: fc.constantFrom({ text: "x", n: 1 }, { text: "x" }, {}),
  error: fc.constantFrom("no route", "ROUTE", "%", "'"),
  url: fc.constantFrom("https://example.com/", "https://example.com/", "http://127.0.0.1/", "x"),
  events: fc.constantFrom(["*"], ["order.*", "user.made"], ["a b"]),
  secret: fc.constantFrom("webhook_a", "webhook_a", "symphony_secret_key"),
  timezone: fc.constantFrom("UTC", "Europe/London", "Mars/Base"),
  cron: fc.constantFrom("@daily", "0 9 * * *", "0 0 30 2 *"),
  config: fc.constantFrom({ cron: "@hourly" }, { interval: "5m" }, { at: "2999-01-01T00:00:00Z" }),
  schedule: fc.constantFrom(
    { type: "cron", config: { cron: "@daily" } },
    { type: "interval", config: { interval: "5m" }, name: "schedule 1" },
    { type: "once", config: { at: "2999-01-01T00:00:00Z" } },
  ),
  maxRuns: fc.constantFrom(1, 100, 0, 1e10),
  priority: fc.constantFrom(0, 5, -1000, 1001),
  interval: duration,
  jitter: duration,
  ttl: duration,
  channel: fc.constantFrom("mail", null, "x"),
  alert: fc.constantFrom("default", "x"),
  maxTickAge: duration,
  maxReadyAge: duration,
};

/** A value that fits the schema, or here and there does not. */
function mostly(schema: Schema, document: Document, name = ""): fc.Arbitrary<unknown> {
  const meaningful = Object.hasOwn(MEANINGFUL, name) ? MEANINGFUL[name] : undefined;
  return fc.oneof(
    { weight: 20, arbitrary: fitting(schema, document) },
    { weight: 1, arbitrary: garbage },
    ...(meaningful ? [{ weight: 60, arbitrary: meaningful }] : []),
  );
}

function fitting(schema: Schema, document: Document): fc.Arbitrary<unknown> {
  const { $ref, enum: values, type } = schema;
  if ($ref) {
    const named = document.components.schemas[$ref.replace("#/components/schemas/", "")];
    if (!named) throw new Error(`the document has no ${$ref}`);
    return mostly(named, document);
  }
  const choices = schema.oneOf ?? schema.anyOf ?? schema.allOf ??
    (Array.isArray(type) ? type.map((one) => ({ ...schema, type: one })) : undefined);
  if (choices) return fc.oneof(...choices.map((choice) => fitting(choice, document)));
  if (values) return fc.constantFrom(...values);
  switch (type) {
    case "object":
      return objectOf(schema, document);
    case "array":
      return fc.array(mostly(schema.items ?? {}, document), { minLength: 1, maxLength: 3 });
    case "integer":
    case "number":
      return fc.integer({
        min: Math.ceil(schema.minimum ?? -10),
        max: Math.floor(schema.maximum ?? 1_000_000),
      });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "string":
      return textOf(schema);
    default:
      return fc.oneof(fc.constant({ text: "x" }), fc.jsonValue());
  }
}

function objectOf(
  { properties = {}, required = [] }: Schema,
  document: Document,
): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, field]) => [name, mostly(field, document, name)]),
  );
  const sometimes = fc.oneof(
    { weight: 20, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 2 }) },
  );
  return fc.tuple(
    fc.oneof(
      { weight: 1, arbitrary: fc.record(fields, { requiredKeys: required }) },
      // A few fields at a time, for all of them are seldom right together.
      { weight: 4, arbitrary: few(fields, required) },
    ),
    sometimes,
  )
    .map(([object, more]) => ({ ...object, ...more }));
}

/** Fields that are required, and up to two of the others. */
function few(
  fields: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  required: readonly string[],
): fc.Arbitrary<Record<string, unknown>> {
  const optional = Object.keys(fields).filter((name) => !required.includes(name));
  return fc.subarray(optional, { maxLength: Math.min(2, optional.length) })
    .chain((chosen) =>
      fc.record(Object.fromEntries(
        Object.entries(fields).filter(([name]) =>
          required.includes(name) || chosen.includes(name) || name === "payload"
        ),
      ))
    );
}

function textOf({ pattern, format }: Schema): fc.Arbitrary<string> {
  if (format === "date-time") {
    return fc.date({ min: new Date(0), max: new Date("9999-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString());
  }
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return fc.oneof(fc.string({ minLength: 1 }), nasty);
}
