/** The import map that the functions of a project share. */

import { assertEquals } from "@std/assert";
import { IMPORT_MAP } from "../../../../cli/project/functions.ts";
import { importedVersion, importMapText, ZOD } from "../../../../cli/project/import-maps.ts";

Deno.test("a new project gets the zod that this project is tested with", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile("import_map.json"));
  assertEquals(ZOD, imports.zod);
});

Deno.test("the version that an import map names is the one that was written", () => {
  for (const version of ["0.1.0", "1.20.3-beta.2"]) {
    assertEquals(importedVersion(new Map([[IMPORT_MAP, importMapText(version)]])), version);
  }
});

Deno.test("a tag, a range and what is no version name no release", () => {
  for (const written of ["latest", "^0.1.0", "0.1", "0.1.0_1", "0.1.0 || 0.2.0"]) {
    assertEquals(importedVersion(new Map([[IMPORT_MAP, importMapText(written)]])), null, written);
  }
});
