/** The TypeScript of README and docs, each block as a module that a compiler takes. */

import ts from "typescript";

/** A block of code of a page. */
export interface DocBlock {
  readonly page: string;
  /** The line of the page on which its code begins. */
  readonly line: number;
  readonly isJsx: boolean;
  readonly code: string;
}

/** Pages whose code is that of an app; all others show a project's functions. */
const FRONTEND = ["docs/client.md", "docs/react.md", "docs/frontend.md"];
const SUPPORT = "tests/support/docs";
/** The files that stand for modules which blocks import: those of a reader's project, and packages of Next.js. */
const STAND_INS: readonly (readonly [pattern: RegExp, path: string])[] = [
  [/^\.{1,2}\/messenger\.gen(\.ts)?$/, `${SUPPORT}/messenger.gen.ts`],
  [/^\.{1,2}\/supabase\/functions\/_messages\/email\.ts$/, "supabase/functions/_messages/email.ts"],
  [/^\.{1,2}\/_messages\/otlp\.ts$/, "examples/tracing/otlp.ts"],
  [/^(\.|@supabase\/ssr$|next\/)/, `${SUPPORT}/project.ts`],
];
/** Blocks that are properties of a definition, without the braces around them. */
const PROPERTIES = /^(handler|rateLimit): /;

/** The TypeScript of a page, in order. */
export function blocksOf(page: string, text: string): DocBlock[] {
  return [...text.matchAll(/^( *)```(tsx?)\n([^]*?)^ *```$/gm)].map((match) => {
    const [, indent = "", language, code = ""] = match;
    return {
      page,
      line: text.slice(0, match.index).split("\n").length + 1,
      isJsx: language === "tsx",
      code: code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    };
  });
}

/**
 * A block as a module: its imports, what it uses of its surroundings, and its code as printed.
 * @param root URL of the checkout, with a slash at its end
 */
export function moduleOf({ page, code, isJsx }: DocBlock, root: string): string {
  const file = ts.createSourceFile(isJsx ? "a.tsx" : "a.ts", code, ts.ScriptTarget.Latest, true);
  const imports = file.statements.filter(ts.isImportDeclaration);
  const body = withoutImports(code, imports);
  const head = imports.map((declaration) => importText(declaration, root)).join("");
  const path = `${SUPPORT}/${FRONTEND.includes(page) ? "frontend" : "backend"}.ts`;
  // A module's augmentation has no place in a function.
  const augments = file.statements.some(ts.isModuleDeclaration);
  const declared = new Set([...imports, ...(augments ? file.statements : [])].flatMap(declaredBy));
  const used = namesIn(file);
  const names = exportsOf(Deno.readTextFileSync(path))
    .filter((name) => used.has(name) && !declared.has(name));
  const start = `import { ${names.join(", ")} } from ${JSON.stringify(root + path)};\n${head}`;
  if (augments) return start + body;
  if (PROPERTIES.test(code)) return start + definitionOf(code);
  const local = body.replaceAll(/^export default /gm, "void ").replaceAll(/^export /gm, "");
  return `${start}export async function block() {\n${local}\n}\n`;
}

/** Properties of a definition, within one. */
function definitionOf(properties: string): string {
  const handler = properties.startsWith("handler") ? "" : "handler: () => {},";
  return `import { defineMessage as define, z as zod } from "symphony-messenger";
const schema = zod.object({ order: zod.string(), pages: zod.array(zod.string()) });
define({ type: "", schema, ${handler} ${properties} });
`;
}

function importText(declaration: ts.ImportDeclaration, root: string): string {
  const specifier = (declaration.moduleSpecifier as ts.StringLiteral).text;
  const standIn = STAND_INS.find(([pattern]) => pattern.test(specifier))?.[1];
  const text = declaration.getText();
  return `${standIn ? text.replace(`"${specifier}"`, JSON.stringify(root + standIn)) : text}\n`;
}

function withoutImports(code: string, imports: readonly ts.ImportDeclaration[]): string {
  return imports.toReversed().reduce(
    (text, { pos, end }) => text.slice(0, pos) + text.slice(end),
    code,
  );
}

/** The names that an import, or a statement at the top of a module, declares. */
function declaredBy(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  }
  if (!ts.isImportDeclaration(statement)) return [];
  const bindings = statement.importClause?.namedBindings;
  if (!bindings) return [];
  return ts.isNamedImports(bindings)
    ? bindings.elements.map(({ name }) => name.text)
    : [bindings.name.text];
}

/** Each name in a text, whatever it means there. */
function namesIn(file: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

/** The names that a file of surroundings exports. */
function exportsOf(text: string): string[] {
  const own = [...text.matchAll(/^export (?:declare )?(?:const|class|function|interface) (\w+)/gm)]
    .map(([, name = ""]) => name);
  const others = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap(([, names = ""]) => names.split(",").map((name) => name.split(/ as /).at(-1) ?? ""))
    .map((name) => name.replace(/^\s*type /, "").trim()).filter(Boolean);
  return [...own, ...others];
}
