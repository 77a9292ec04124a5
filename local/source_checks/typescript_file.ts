/**
 * Reads one TypeScript file: its length, its functions, its imports, the SQL names in its texts, and which
 * of its exports lack a docstring. It reads the syntax alone and resolves no types.
 */

import ts from "typescript";
import { dirname, join } from "node:path";

/** A function and how long it is. */
export interface MeasuredFunction {
  readonly name: string;
  /** The line of its declaration, from 1. */
  readonly line: number;
  /** Lines from the declaration to the closing brace. */
  readonly lines: number;
}

/** The facts about a file that the checks use. */
export interface TypeScriptFile {
  readonly path: string;
  readonly lines: number;
  readonly functions: readonly MeasuredFunction[];
  /** Paths of the local files that it imports or exports from, type-only imports included. */
  readonly imports: readonly string[];
  /** Texts that begin with the prefix of the engine's tables and functions. */
  readonly sqlNames: readonly { readonly name: string; readonly line: number }[];
  /** Names of exported declarations that have no docstring. */
  readonly undocumented: readonly string[];
}

/** Reads the syntax of a file. `path` is its path, to which relative imports are resolved. */
export function readTypeScript(path: string, text: string): TypeScriptFile {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const functions: MeasuredFunction[] = [];
  const imports = new Set<string>();
  const sqlNames: { name: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body) {
      functions.push(measure(source, node));
    }
    if ((ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) && isSqlName(node.text)) {
      sqlNames.push({ name: node.text, line: lineAt(source, node.getStart(source)) });
    }
    const specifier = importedFrom(node);
    if (specifier?.startsWith(".")) imports.add(join(dirname(path), specifier));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return {
    path,
    lines: text.trimEnd().split("\n").length,
    functions,
    imports: [...imports].sort(),
    sqlNames,
    undocumented: undocumentedExports(source),
  };
}

function measure(source: ts.SourceFile, node: ts.SignatureDeclaration): MeasuredFunction {
  const line = lineAt(source, node.getStart(source));
  return { name: nameOf(source, node), line, lines: lineAt(source, node.end) - line + 1 };
}

/** The line of a position, from 1. */
function lineAt(source: ts.SourceFile, position: number): number {
  return source.getLineAndCharacterOfPosition(position).line + 1;
}

function isSqlName(text: string): boolean {
  return text.startsWith("messenger_");
}

/** The function's own name, or the name of the variable or property that holds it. */
function nameOf(source: ts.SourceFile, node: ts.SignatureDeclaration): string {
  if (ts.isConstructorDeclaration(node)) return "constructor";
  const holder = ts.isVariableDeclaration(node.parent) || ts.isPropertyAssignment(node.parent) ||
      ts.isPropertyDeclaration(node.parent)
    ? node.parent
    : undefined;
  return (node.name ?? holder?.name)?.getText(source) ?? "anonymous";
}

/** The specifier of an import, an export from a file, a dynamic import, or an import type. */
function importedFrom(node: ts.Node): string | undefined {
  let specifier: ts.Node | undefined;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    specifier = node.moduleSpecifier;
  } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    specifier = node.arguments[0];
  } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    specifier = node.argument.literal;
  }
  return specifier && ts.isStringLiteralLike(specifier) ? specifier.text : undefined;
}

/** An overloaded function needs one docstring, on any of its signatures. */
function undocumentedExports(source: ts.SourceFile): string[] {
  const documented = new Map<string, boolean>();
  for (const statement of source.statements) {
    const isExported = ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!isExported) continue;
    const hasDocstring = ts.getJSDocCommentsAndTags(statement).length > 0;
    for (const name of declaredNames(source, statement)) {
      documented.set(name, hasDocstring || documented.get(name) === true);
    }
  }
  return [...documented].filter(([, hasDocstring]) => !hasDocstring).map(([name]) => name);
}

function declaredNames(source: ts.SourceFile, statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText(source));
  }
  const { name } = statement as ts.DeclarationStatement;
  return [name?.getText(source) ?? "default"];
}
