/** Names for the types that several places refer to: those with an `id`, and those that contain themselves. Pure. */

import { type JsonSchema, referencesOf, ROOT_REF, type SchemaDocument } from "./json-schema.ts";

/** A schema of the project, with the beginning of the names that are made for its parts. */
export interface NamedDocument {
  /** Such as `RenderVideoPayload`. */
  readonly name: string;
  readonly document: SchemaDocument;
}

/** A type that is written once, and what it is called. */
export interface SharedType {
  readonly name: string;
  readonly target: string;
  readonly owner: NamedDocument;
}

/** The shared types of the documents, and how a document's references are named. */
export interface TypeNames {
  readonly shared: readonly SharedType[];
  /** @throws Error if the document has no such reference, which zod never writes */
  nameOf(owner: NamedDocument, target: string): string;
}

/** zod names what it has no `id` for so. */
const NAMELESS = /^__schema\d+$/;

/**
 * Names what the documents refer to. A type that has an `id` is called by it, once for all documents; where two
 * documents mean different types by one `id`, each gets its document's name in front.
 * @param reserved names that are taken
 */
export function nameTypes(
  documents: readonly NamedDocument[],
  reserved: readonly string[],
): TypeNames {
  const found = documents.flatMap((owner) =>
    [...referencesOf(owner.document.root, owner.document)].sort().map((target) => ({
      owner,
      target,
      content: contentOf(owner.document, target),
    }))
  );
  const isUnique = (target: string) =>
    new Set(found.filter((one) => one.target === target).map(({ content }) => content)).size === 1;
  const taken = new Set(reserved);
  const shared: SharedType[] = [];
  const byContent = new Map<string, string>();
  const names = new Map(documents.map((owner) => [owner, new Map<string, string>()]));
  for (const { owner, target, content } of found) {
    const isOwn = target === ROOT_REF || NAMELESS.test(target) || !isUnique(target);
    const known = isOwn ? undefined : byContent.get(content);
    const name = known ?? free(isOwn ? ownName(owner, target) : pascalCase(target), taken);
    names.get(owner)?.set(target, name);
    if (known !== undefined) continue;
    if (!isOwn) byContent.set(content, name);
    shared.push({ name, target, owner });
  }
  return {
    shared: shared.sort((a, b) => a.name < b.name ? -1 : 1),
    nameOf(owner, target) {
      const name = names.get(owner)?.get(target);
      if (name === undefined) throw new Error(`${owner.name}: refers to ${target}, which it lacks`);
      return name;
    },
  };
}

/** A name in PascalCase that TypeScript takes: `mail.welcome` becomes `MailWelcome`. */
export function pascalCase(name: string): string {
  const words = name.split(/[^\p{ID_Continue}]+/u).filter((word) => word !== "");
  const text = words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("");
  return /^\p{ID_Start}/u.test(text) ? text : `_${text}`;
}

function ownName({ name }: NamedDocument, target: string): string {
  if (target === ROOT_REF) return name;
  return NAMELESS.test(target) ? `${name}Part` : name + pascalCase(target);
}

function free(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let count = 2; taken.has(name); count++) name = `${wanted}${count}`;
  taken.add(name);
  return name;
}

/** A type with all that it refers to, for comparisons. */
function contentOf(document: SchemaDocument, target: string): string {
  const schemaOf = (name: string): JsonSchema | undefined =>
    name === ROOT_REF ? document.root : document.defs[name];
  const names = [target, ...[...referencesOf(schemaOf(target) ?? true, document)].sort()];
  return JSON.stringify(names.map((name) => [name, schemaOf(name)]));
}
