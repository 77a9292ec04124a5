/** Which test files need Postgres: those whose imports lead to it. */

import { assertEquals } from "@std/assert";
import { ImportGraph } from "../../support/imports.ts";

const TARGET = "tests/support/database.ts";

function leadsTo(files: Record<string, string>): boolean {
  const graph = new ImportGraph((path) => files[path] ?? "");
  return graph.leadsTo("tests/unit/a.test.ts", TARGET);
}

Deno.test("an import leads to a file directly, through others, or when it runs", () => {
  for (
    const text of [
      'import { createTestDatabase } from "../support/database.ts";',
      'import {\n  createTestDatabase,\n  type TestDatabase,\n} from "../support/database.ts";',
      'import "../support/database.ts";',
      'export * from "../support/database.ts";',
      'const { serverUrl } = await import("../support/database.ts");',
    ]
  ) {
    assertEquals(leadsTo({ "tests/unit/a.test.ts": text, [TARGET]: "" }), true, text);
  }
  const through = {
    "tests/unit/a.test.ts": 'import { b } from "./b.ts";',
    "tests/unit/b.ts": 'import "./a.test.ts";\nimport { c } from "../support/c.ts";',
    "tests/support/c.ts": 'export { serverUrl } from "./database.ts";',
    [TARGET]: "",
  };
  assertEquals(leadsTo(through), true);
});

Deno.test("an import of types, of a package or of data leads nowhere", () => {
  for (
    const text of [
      'import type { TestDatabase } from "../support/database.ts";',
      'export type { TestDatabase } from "../support/database.ts";',
      'import postgres from "postgres";',
      '// See "../support/database.ts".',
      'import cases from "./cases.json" with { type: "json" };',
    ]
  ) {
    assertEquals(leadsTo({ "tests/unit/a.test.ts": text }), false, text);
  }
});
