/** The types that are made of schemas, as the compiler sees them beside zod's own. */

import { assertEquals } from "@std/assert";
import ts from "typescript";
import { z } from "zod";
import { type DescribedMessage, generatedText } from "../../../../cli/types/generated-text.ts";
import { narrower, same, wider } from "../fixtures/payload_schemas.ts";

const FOLDER = new URL("../fixtures/", import.meta.url).pathname;
const STRICTEST: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  noUnusedLocals: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
};

/** The messages of schemas, as the command's process in Deno describes them. */
function described(schemas: Record<string, z.ZodType>): DescribedMessage[] {
  return Object.entries(schemas).map(([type, schema]) => ({
    type,
    isSecret: false,
    payload: z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as never,
  }));
}

/** Type-checks files that exist in memory only, among the fixtures. */
function complaintsOf(files: Record<string, string>): string[] {
  const virtual = new Map(Object.entries(files).map(([name, text]) => [FOLDER + name, text]));
  const host = ts.createCompilerHost(STRICTEST);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => virtual.has(path) || fileExists(path);
  host.readFile = (path) => virtual.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...more) => {
    const text = virtual.get(path);
    return text === undefined
      ? getSourceFile(path, ...more)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
  };
  const program = ts.createProgram([...virtual.keys()], STRICTEST, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const place = file
      ? `${file.fileName.slice(FOLDER.length)}:${
        file.getLineAndCharacterOfPosition(start).line + 1
      }: `
      : "";
    return place + ts.flattenDiagnosticMessageText(messageText, "\n");
  });
}

/** A program whose every line holds only if the types are what they have to be. */
const COMPARISON = `import type { z } from "zod";
import type { narrower, same, wider } from "./payload_schemas.ts";
import type { Messages } from "./messenger.gen.ts";
type Fits<One, Other> = [One] extends [Other] ? true : false;
type Payload<Type> = Type extends keyof Messages ? Messages[Type]["payload"] : "missing";
// @ts-expect-error: the comparison sees types that differ
export const differs: Fits<Payload<"Text">, Payload<"List">> = true;
${
  Object.keys(same).flatMap((type, at) => {
    const [own, zods] = [`Payload<"${type}">`, `z.input<(typeof same)["${type}"]>`];
    return [
      `export const forth${at}: Fits<${own}, ${zods}> = true;`,
      `export const back${at}: Fits<${zods}, ${own}> = true;`,
    ];
  }).join("\n")
}
${
  Object.keys(wider).map((type, at) =>
    `export const wide${at}: Fits<z.input<(typeof wider)["${type}"]>, Payload<"${type}">> = true;`
  ).join("\n")
}
${
  Object.keys(narrower).map((type, at) =>
    `export const less${at}: Fits<Payload<"${type}">, z.input<(typeof narrower)["${type}"]>> = true;`
  ).join("\n")
}
`;
/** The file of all of them. */
const TEXT = generatedText(described({ ...same, ...wider, ...narrower }), {
  all: false,
  messages: undefined,
});

Deno.test("the generated types take what zod's inputs take, under every strict option", () => {
  const complaints = complaintsOf({ "messenger.gen.ts": TEXT, "comparison.ts": COMPARISON });
  const lines = COMPARISON.split("\n");
  assertEquals(
    complaints.map((one) => `${one} | ${lines[Number(/:(\d+):/.exec(one)?.[1]) - 1]}`),
    [],
    TEXT,
  );
});
