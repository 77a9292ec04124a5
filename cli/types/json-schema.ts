/** JSON Schema (draft 2020-12), as far as zod 4 writes it. */

/** A schema. `true` takes every value, `false` none. */
export type JsonSchema = boolean | JsonSchemaObject;

/** The keywords that say something about a value's type. Those of ranges, patterns and formats do not. */
export interface JsonSchemaObject {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly minItems?: number;
  readonly readOnly?: boolean;
  readonly title?: string;
  readonly description?: string;
  readonly deprecated?: boolean;
}

/** A schema with all that its references lead to. */
export interface SchemaDocument {
  readonly root: JsonSchema;
  readonly defs: Readonly<Record<string, JsonSchema>>;
}

/** The key of the root among a document's references. */
export const ROOT_REF = "#";

/** Makes a document of a schema as zod writes it. */
export function documentOf(root: JsonSchema): SchemaDocument {
  return { root, defs: typeof root === "object" ? root.$defs ?? {} : {} };
}

/** The name that a reference leads to among `$defs`; `#` if it leads to the root. */
export function targetOf(ref: string): string {
  return ref.replace(/^#\/\$defs\//, "").replaceAll("~1", "/").replaceAll("~0", "~");
}

/** The names that a schema's references lead to, directly or through others. */
export function referencesOf(schema: JsonSchema, document: SchemaDocument): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, part] of Object.entries(value)) {
      if (key === "$defs") continue;
      if (key !== "$ref" || typeof part !== "string") {
        visit(part);
        continue;
      }
      const name = targetOf(part);
      if (found.has(name)) continue;
      found.add(name);
      visit(name === ROOT_REF ? document.root : document.defs[name]);
    }
  };
  visit(schema);
  return found;
}
