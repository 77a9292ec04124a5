/** The package's declarations: one file for each source file that an export's types lead to. */

import { dirname, join, relative } from "node:path/posix";
import ts from "typescript";
import { EXPORTS, LIBRARY, NAME, ROOT } from "./entries.ts";

const OPTIONS: ts.CompilerOptions = {
  declaration: true,
  emitDeclarationOnly: true,
  // `deno task check` has checked them, with Deno's own types.
  noCheck: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowImportingTsExtensions: true,
  jsx: ts.JsxEmit.ReactJSX,
  lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
  types: [],
  rootDir: ROOT,
  outDir: ROOT,
};

/** Where the declarations of a source file stand in the package. */
export function placeOf(source: string): string {
  const path = source.startsWith(LIBRARY) ? source.slice(LIBRARY.length) : source;
  return `types/${path.replace(/\.tsx?$/, ".d.ts")}`;
}

/**
 * Writes `types/` below the folder.
 * @throws Error if a file cannot be declared
 */
export async function writeDeclarations(folder: string): Promise<void> {
  const sources = EXPORTS.map(({ source }) => source);
  const program = ts.createProgram(sources.map((source) => ROOT + source), OPTIONS);
  const files = new Map<string, { text: string; imports: readonly string[] }>();
  const { diagnostics } = program.emit(
    undefined,
    (_name, text, _mark, _onError, from) => {
      const [file] = from ?? [];
      if (!file) return;
      const source = relative(ROOT, file.fileName);
      const imports = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
      files.set(placeOf(source), {
        text: withOwnName(text),
        imports: imports.filter((path) => path.startsWith(".")),
      });
    },
    undefined,
    true,
    { afterDeclarations: [rewriteImports] },
  );
  if (diagnostics.length > 0) throw new Error(describe(diagnostics));
  for (const place of reachable(sources.map(placeOf), files)) {
    await Deno.mkdir(`${folder}/${dirname(place)}`, { recursive: true });
    await Deno.writeTextFile(`${folder}/${place}`, files.get(place)?.text ?? "");
  }
}

/** Examples in docstrings import the library as this checkout has it; a user imports the package. */
function withOwnName(text: string): string {
  return text
    .replaceAll('"../_shared/symphony/index.ts"', `"${NAME}"`)
    .replaceAll(/"\.\.\/_shared\/symphony\/(amqp|edge|testing)\.ts"/g, `"${NAME}/$1"`);
}

/** Files that declarations import, and not those that code alone does. */
function reachable(
  entries: readonly string[],
  files: ReadonlyMap<string, { imports: readonly string[] }>,
): Set<string> {
  const found = new Set<string>();
  const waiting = [...entries];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (found.has(place)) continue;
    const file = files.get(place);
    if (!file) throw new Error(`${place}: has no declarations`);
    found.add(place);
    waiting.push(
      ...file.imports.map((path) => join(dirname(place), path.replace(/\.js$/, ".d.ts"))),
    );
  }
  return found;
}

/** Node resolves `./x.js` to the declarations `x.d.ts`; an import of `./x.ts` would ask for the source. */
const rewriteImports: ts.TransformerFactory<ts.SourceFile | ts.Bundle> = (context) => (root) => {
  if (!ts.isSourceFile(root)) return root;
  const { factory } = context;
  const own = relative(ROOT, root.fileName);
  const rewrite = (node: ts.Node): ts.Node =>
    ts.isStringLiteral(node) && /^\..*\.tsx?$/.test(node.text)
      ? factory.createStringLiteral(importedPath(own, node.text))
      : node;
  const visit = (node: ts.Node): ts.Node => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      return ts.visitEachChild(node, rewrite, context);
    }
    if (ts.isImportTypeNode(node)) {
      const argument = ts.visitEachChild(node.argument, rewrite, context);
      const changed = factory.updateImportTypeNode(
        node,
        argument,
        node.attributes,
        node.qualifier,
        node.typeArguments,
        node.isTypeOf,
      );
      return ts.visitEachChild(changed, visit, context);
    }
    return ts.visitEachChild(node, visit, context);
  };
  return ts.visitEachChild(root, visit, context);
};

function importedPath(from: string, specifier: string): string {
  const target = placeOf(join(dirname(from), specifier)).replace(/\.d\.ts$/, ".js");
  const path = relative(dirname(placeOf(from)), target);
  return path.startsWith(".") ? path : `./${path}`;
}

function describe(diagnostics: readonly ts.Diagnostic[]): string {
  return ts.formatDiagnostics(diagnostics, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => ROOT,
    getNewLine: () => "\n",
  });
}
