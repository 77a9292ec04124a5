/** The two lock files: `deno.lock` has what a user of the local stack downloads, `deno.dev.lock` all. */

import { assertEquals } from "@std/assert";
import { INSTALL_COMMAND } from "../../../local/postgres_binaries.ts";
import { runProgram } from "../../support/programs.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
/** Packages that only tests, benchmarks and the build of the package import. */
const DEVELOPMENT = [
  ...[
    "@dbos-inc/dbos-sdk",
    "@electric-sql/pglite-pgtap",
    "@seriousme/openapi-schema-validator",
    "axe-core",
    "croner",
  ],
  ...["fast-check", "graphile-worker", "openapi-typescript", "pg-boss"],
  ...["playwright-core", "react", "react-dom", "rolldown", "typescript", "vite"],
];

interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
}

async function readLock(name: string): Promise<Lock> {
  return JSON.parse(await Deno.readTextFile(ROOT + name));
}

const nameOf = (locked: string) => /^@?[^@]+/.exec(locked)?.[0] ?? locked;

Deno.test("the stack downloads no package of tests, benchmarks and the build", async () => {
  const names = Object.keys((await readLock("deno.lock")).npm).map(nameOf);
  assertEquals(names.filter((name) => DEVELOPMENT.includes(name)), []);
});

Deno.test("both lock files have the same content of each package that the stack needs", async () => {
  const integrities = ({ npm }: Lock) =>
    new Map(
      Object.entries(npm).map(([key, { integrity }]) => [key.split("_")[0] ?? "", integrity]),
    );
  const all = integrities(await readLock("deno.dev.lock"));
  for (const [name, integrity] of integrities(await readLock("deno.lock"))) {
    assertEquals([name, all.get(name)], [name, integrity]);
  }
});

Deno.test("the install command that the stack tells needs no package beyond deno.lock", async () => {
  const cwd = await Deno.makeTempDir();
  try {
    const needed = [
      ...["deno.json", "deno.lock", "import_map.json"],
      ...["cli", "console", "local", "package", "supabase"],
    ];
    await runProgram("cp", ["-r", ...needed.map((name) => ROOT + name), cwd]);
    const [, , , ...told] = INSTALL_COMMAND.split(" ");
    await runProgram(Deno.execPath(), [...told, "--frozen"], { cwd });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});
