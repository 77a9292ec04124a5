/** TypeScript types of JSON schemas: what a value is, without what its schema checks beyond that. Pure. */

import { type JsonSchema, type JsonSchemaObject, targetOf } from "./json-schema.ts";

/** How a reference is named in TypeScript. */
export type NameOf = (target: string) => string;

/** A type's text, and its outermost operator: within others of another kind it needs parentheses. */
interface TypeText {
  readonly text: string;
  readonly operator?: "|" | "&" | "readonly";
}

const UNKNOWN: TypeText = { text: "unknown" };
const NEVER: TypeText = { text: "never" };
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const INDENT = "  ";

/**
 * Writes a schema as a type.
 * @param indent the spaces before the line that the type begins on
 */
export function typeText(schema: JsonSchema, nameOf: NameOf, indent = ""): string {
  return write(schema, { nameOf, indent }).text;
}

/** A name as a key of an object type. */
export function keyText(name: string): string {
  return IDENTIFIER.test(name) ? name : JSON.stringify(name);
}

/** The docstring of a schema, with its line break; empty if the schema describes nothing. */
export function docText(schema: JsonSchema, indent: string): string {
  if (typeof schema === "boolean") return "";
  const { title, description, deprecated } = schema;
  const lines = [title, description].flatMap((text) => text ? text.trim().split(/\r?\n/) : []);
  if (deprecated) lines.push("@deprecated");
  return commentText(lines, indent);
}

/** Lines as a docstring, with its line break; empty if there are none. */
export function commentText(lines: readonly string[], indent: string): string {
  // The end of a comment within it would end it.
  const safe = lines.map((line) => line.trimEnd().replaceAll("*/", "*\\/"));
  if (safe.length === 0) return "";
  if (safe.length === 1) return `${indent}/** ${safe[0]} */\n`;
  const middle = safe.map((line) => `${indent} *${line && ` ${line}`}\n`);
  return `${indent}/**\n${middle.join("")}${indent} */\n`;
}

interface Place {
  readonly nameOf: NameOf;
  readonly indent: string;
}

function write(schema: JsonSchema, place: Place): TypeText {
  if (typeof schema === "boolean") return schema ? UNKNOWN : NEVER;
  if (schema.$ref !== undefined) return { text: place.nameOf(targetOf(schema.$ref)) };
  if (schema.not !== undefined && isAny(schema.not)) return NEVER;
  if ("const" in schema) return literal(schema.const);
  if (schema.enum) return join(schema.enum.map(literal), "|");
  const types = typeof schema.type === "string" ? [schema.type] : schema.type ?? [];
  const parts = types.length > 0
    ? [join(types.map((type) => writeType(type, schema, place)), "|")]
    : [];
  for (const options of [schema.anyOf, schema.oneOf]) {
    if (options) parts.push(join(options.map((option) => write(option, place)), "|"));
  }
  for (const part of schema.allOf ?? []) parts.push(write(part, place));
  return join(parts, "&");
}

function isAny(schema: JsonSchema): boolean {
  return typeof schema === "boolean" ? schema : Object.keys(schema).length === 0;
}

function literal(value: unknown): TypeText {
  return { text: JSON.stringify(value) };
}

/** Joins types; `unknown` takes all others of a union in, and says nothing within an intersection. */
function join(parts: readonly TypeText[], operator: "|" | "&"): TypeText {
  if (operator === "|" && parts.some(({ text }) => text === UNKNOWN.text)) return UNKNOWN;
  const empty = operator === "|" ? NEVER.text : UNKNOWN.text;
  const different = parts.filter(({ text }, place) =>
    text !== empty && parts.findIndex((other) => other.text === text) === place
  );
  const [first] = different;
  if (first === undefined) return operator === "|" ? NEVER : UNKNOWN;
  if (different.length === 1) return first;
  const texts = different.map((part) =>
    operator === "&" && part.operator === "|" ? `(${part.text})` : part.text
  );
  return { text: texts.join(` ${operator} `), operator };
}

function writeType(type: string, schema: JsonSchemaObject, place: Place): TypeText {
  switch (type) {
    case "string":
    case "number":
    case "boolean":
    case "null":
      return { text: type };
    case "integer":
      return { text: "number" };
    case "array":
      return schema.prefixItems ? writeTuple(schema, place) : writeArray(schema, place);
    case "object":
      return writeObject(schema, place);
    default:
      return UNKNOWN;
  }
}

function writeArray({ items = true, readOnly }: JsonSchemaObject, place: Place): TypeText {
  const { text, operator } = write(items, place);
  return frozen(`${operator ? `(${text})` : text}[]`, readOnly);
}

function writeTuple(schema: JsonSchemaObject, place: Place): TypeText {
  const { prefixItems = [], items = true, minItems = 0, readOnly } = schema;
  const texts = prefixItems.map((item, index) => {
    const { text, operator } = write(item, place);
    return index < minItems ? text : `${operator ? `(${text})` : text}?`;
  });
  if (items !== false) texts.push(`...${writeArray({ items }, place).text}`);
  return frozen(`[${texts.join(", ")}]`, readOnly);
}

function frozen(text: string, readOnly = false): TypeText {
  return readOnly ? { text: `readonly ${text}`, operator: "readonly" } : { text };
}

function writeObject(schema: JsonSchemaObject, place: Place): TypeText {
  const { additionalProperties: rest, patternProperties, propertyNames, readOnly } = schema;
  const keys = propertyNames === undefined ? null : keysOf(propertyNames);
  const properties = keys === null
    ? schema.properties ?? {}
    : Object.fromEntries(keys.map((key) => [key, rest ?? true]));
  const inner = { ...place, indent: place.indent + INDENT };
  const prefix = inner.indent + (readOnly ? "readonly " : "");
  const types: TypeText[] = [];
  const lines = Object.entries(properties).map(([name, property]) => {
    const isRequired = schema.required?.includes(name);
    const type = write(property, inner);
    const text = isRequired ? type : join([type, { text: "undefined" }], "|");
    types.push(text);
    const key = keyText(name) + (isRequired ? "" : "?");
    return `${docText(property, inner.indent)}${prefix}${key}: ${text.text};\n`;
  });
  if (keys === null) {
    const others = patternProperties ? UNKNOWN : rest && write(rest, inner);
    // TypeScript wants the named properties to be of the others' type.
    const text = others ? join([others, ...types], "|").text : "never";
    if (others || lines.length === 0) lines.push(`${prefix}[key: string]: ${text};\n`);
  }
  return { text: `{\n${lines.join("")}${place.indent}}` };
}

/** The names that a record's keys are limited to; null if they are not. */
function keysOf(schema: JsonSchema): string[] | null {
  if (typeof schema === "boolean") return null;
  if ("const" in schema) return [String(schema.const)];
  if (schema.enum) return schema.enum.map(String);
  const options = schema.anyOf ?? schema.oneOf;
  const keys = options?.map(keysOf);
  return keys?.every((part) => part !== null) ? keys.flat() as string[] : null;
}
