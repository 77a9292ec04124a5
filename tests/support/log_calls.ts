/** The calls in the library's source that write a log line, by TypeScript's parser. */

import ts from "typescript";
import { walk } from "../../local/source_checks/walk.ts";

/** One call. */
export interface LogCall {
  /** Empty where it is no literal, by which a search for the event would find the call. */
  readonly event: string;
  readonly level: string;
  /** Names of the fields that it gives, as far as they are written there. */
  readonly fields: readonly string[];
  readonly place: string;
}

const LEVELS = ["debug", "info", "warn", "error"];

/** Reads the calls below these folders. */
export function readLogCalls(folders: readonly string[]): LogCall[] {
  return walk([...folders], [".ts"]).flatMap((path) => {
    const text = Deno.readTextFileSync(path);
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    const calls: LogCall[] = [];
    const visit = (node: ts.Node): void => {
      const call = ts.isCallExpression(node) ? callOf(node, source) : undefined;
      if (call) calls.push(call);
      ts.forEachChild(node, visit);
    };
    visit(source);
    return calls;
  });
}

function callOf(node: ts.CallExpression, source: ts.SourceFile): LogCall | undefined {
  const { expression, arguments: [event, fields] } = node;
  const level = levelOf(expression, source);
  if (level === undefined || !event) return undefined;
  const { line } = source.getLineAndCharacterOfPosition(node.getStart());
  return {
    event: ts.isStringLiteral(event) ? event.text : "",
    level,
    fields: fields && ts.isObjectLiteralExpression(fields) ? namesOf(fields) : [],
    place: `${source.fileName}:${line + 1}`,
  };
}

/** `log.warn(...)`, `logged?.error(...)`, or `log[condition ? "debug" : "info"](...)`, whose level is the last. */
function levelOf(expression: ts.Expression, source: ts.SourceFile): string | undefined {
  const isLog = (of: ts.Expression) => /log(ged|ger)?$/i.test(of.getText(source));
  if (ts.isPropertyAccessExpression(expression)) {
    const level = expression.name.text;
    return LEVELS.includes(level) && isLog(expression.expression) ? level : undefined;
  }
  if (!ts.isElementAccessExpression(expression) || !isLog(expression.expression)) return undefined;
  return LEVELS.findLast((level) =>
    expression.argumentExpression.getText(source).includes(`"${level}"`)
  );
}

function namesOf(fields: ts.ObjectLiteralExpression): string[] {
  return fields.properties.flatMap(({ name }) => name ? [name.getText()] : []);
}
