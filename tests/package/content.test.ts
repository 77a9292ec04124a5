/** The content of the package, its dependencies, and what npm says of it. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { installedPackage, publishedPackage, type TemporaryFolder } from "../support/package.ts";
import { runProgram } from "../support/programs.ts";

/** Edge functions embed whole package folders, and may have 20 MB. */
const LIMIT_BYTES = 20_000_000;
/** More than this needs a review: of a dependency's update, or of ours (0.2.0: 4.1 MB, the console and RabbitMQ with them). */
const ALLOWED_BYTES = 18_700_000;
const PERMISSIVE = ["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "0BSD"];
const OURS = "node_modules/symphony-messenger";

let folder: TemporaryFolder;
Deno.test.beforeAll(async () => void (folder = await installedPackage(["zod@4.6.7"])));
Deno.test.afterAll(async () => await folder[Symbol.asyncDispose]());

Deno.test("the package has JavaScript, declarations, SQL and the console, and no source", async () => {
  const files = await filesBelow(`${folder.path}/${OURS}`);
  const wrong = files.filter(({ path }) =>
    !/^(lib\/.*\.c?js|console\/[\w-]+\.(html|js|css|svg)|types\/.*\.d\.c?ts|migrations\/\d{14}_symphony_.*\.sql|docs\/migrating\/[\w-]+\.sql|[A-Z_]+(\.md)?|package\.json)$/
      .test(path)
  );
  assertEquals(wrong, []);
  // A map whose sources are elsewhere makes bundlers warn, and debuggers show an empty file.
  for (const { path } of files.filter(({ path }) => path.endsWith("js"))) {
    const text = await Deno.readTextFile(`${folder.path}/${OURS}/${path}`);
    assertEquals([path, text.includes("sourceMappingURL=")], [path, false]);
  }
  const declared = files.filter(({ path }) => /\.d\.c?ts$/.test(path));
  for (const { path } of declared) {
    const text = (await Deno.readTextFile(`${folder.path}/${OURS}/${path}`))
      .replaceAll(/\/\*\*[\s\S]*?\*\//g, "");
    assertEquals(/(from|import\() ?"\.[^"]*\.ts"/.test(text), false, path);
  }
});

Deno.test("the README and the changelog link to files that the package has, and to no others", async () => {
  const files = new Set((await filesBelow(`${folder.path}/${OURS}`)).map(({ path }) => path));
  for (const name of ["README.md", "CHANGELOG.md"]) {
    const text = await Deno.readTextFile(`${folder.path}/${OURS}/${name}`);
    const targets = Array.from(text.matchAll(/\]\(([^)#\s]+)/g), ([, target = ""]) => target);
    const dead = targets.filter((target) => !target.startsWith("https:") && !files.has(target));
    assertEquals([name, ...dead], [name]);
    assertEquals(text.includes("!["), false, `${name}: an image`);
  }
});

Deno.test("the package has the scripts that move jobs of other systems, as the guides say", async () => {
  const scripts = (await filesBelow(`${folder.path}/${OURS}/docs/migrating`)).map(({ path }) =>
    path
  );
  assertEquals(scripts.sort(), ["pg-boss.sql", "pgmq.sql"]);
  for (const name of scripts) {
    const guide = await Deno.readTextFile(`docs/migrating/${name.replace(".sql", ".md")}`);
    assertStringIncludes(guide, `\\i ${OURS}/docs/migrating/${name}\n`);
  }
});

Deno.test("the package and all that it depends on is far below the limit of a function", async () => {
  const sizes = await filesBelow(`${folder.path}/node_modules`);
  const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
  const own = (await filesBelow(`${folder.path}/${OURS}`)).reduce((sum, { size }) => sum + size, 0);
  console.log(`${own} bytes of our own, ${bytes} with all dependencies`);
  assertEquals(bytes < ALLOWED_BYTES && ALLOWED_BYTES < LIMIT_BYTES, true, `${bytes} bytes`);
});

Deno.test("no edge function loads what runs in memory, and dispatch loads no worker", async () => {
  const holds = async (entry: string, name: string, lazily = true) => {
    const lib = `${folder.path}/${OURS}/lib`;
    const files = [...await loadedBy(lib, `${entry}.js`, lazily)];
    const texts = await Promise.all(files.map((file) => Deno.readTextFile(`${lib}/${file}`)));
    return texts.some((text) => text.includes(name));
  };
  assertEquals(await holds("testing", "InMemoryTransport"), true);
  assertEquals(await holds("edge", "InMemoryTransport"), false);
  for (const name of ["function createWorker", "function managementApp"]) {
    assertEquals([name, await holds("edge", name)], [name, true]);
    assertEquals([name, await holds("edge", name, false)], [name, false]);
  }
});

Deno.test("npm would publish it without a warning of its content", async () => {
  await folder.run("cp", ["-r", OURS, "next"]);
  const manifest = JSON.parse(await Deno.readTextFile(`${folder.path}/next/package.json`));
  await folder.write("next/package.json", JSON.stringify({ ...manifest, version: "100.0.0" }));
  const { stderr } = await folder.run("npm", ["publish", "--dry-run", "./next"]);
  assertStringIncludes(stderr, `name: ${publishedPackage().name}`);
  const warnings = stderr.split("\n").filter((line) => /^npm (warn|error)/i.test(line));
  assertEquals(warnings.filter((line) => !line.includes("requires you to be logged in")), []);
});

Deno.test("every dependency has a licence that permits what users do", async () => {
  const { stdout } = await folder.run("npm", ["query", ":root *"]);
  const packages: { name: string; license?: string }[] = JSON.parse(stdout);
  assertEquals(packages.some(({ name }) => name === "@supabase/auth-js"), true);
  const others = packages.filter(({ license = "unknown" }) => !PERMISSIVE.includes(license));
  assertEquals(others.map(({ name, license }) => `${name}: ${license}`), []);
});

Deno.test("dependencies are exact, but for the zod and the React that users share", async () => {
  const { dependencies, peerDependencies, peerDependenciesMeta, version } = JSON.parse(
    await Deno.readTextFile(`${folder.path}/${OURS}/package.json`),
  );
  assertEquals(peerDependencies, { react: ">=18", zod: "^4.0.0" });
  assertEquals(peerDependenciesMeta, { react: { optional: true } });
  assertEquals(Object.keys(dependencies), ["@supabase/supabase-js"]);
  for (const range of Object.values(dependencies)) assertMatch(String(range), /^\d+\.\d+\.\d+$/);
  const migrations = [...Deno.readDirSync(`${folder.path}/${OURS}/migrations`)];
  assertEquals(migrations.some(({ name }) => name.endsWith(`_symphony_${version}.sql`)), true);
});

const audit = await auditEndpoint();
Deno.test({
  name: `the registry knows no vulnerability${audit ? "" : " (skipped: it has no audit)"}`,
  ignore: !audit,
  fn: async () => {
    const { stdout } = await folder.run("npm", ["audit", "--json"], {
      mayFail: true,
      env: { NPM_CONFIG_REGISTRY: audit ?? "", npm_config_registry: audit ?? "" },
    });
    assertEquals(JSON.parse(stdout).metadata?.vulnerabilities?.total, 0, stdout);
  },
});

/** The registry that npm uses here, if it has npm's endpoint for audits. */
async function auditEndpoint(): Promise<string | null> {
  const { stdout } = await runProgram("npm", ["config", "get", "registry"]);
  const registry = stdout.trim();
  const response = await fetch(new URL("-/npm/v1/security/advisories/bulk", registry), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ hono: ["4.13.19"] }),
    signal: AbortSignal.timeout(10_000),
  }).catch(() => null);
  await response?.body?.cancel();
  return response?.ok ? registry : null;
}

/** Files that an entry leads to. */
async function loadedBy(lib: string, entry: string, lazily = true): Promise<Set<string>> {
  const found = new Set<string>();
  const waiting = [entry];
  const pattern = lazily ? /"\.\/([\w-]+\.js)"/g : /(?<!import\()"\.\/([\w-]+\.js)"/g;
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const text = await Deno.readTextFile(`${lib}/${name}`);
    waiting.push(...Array.from(text.matchAll(pattern), ([, path = ""]) => path));
  }
  return found;
}

/** Paths relative to a folder, and sizes in bytes. */
async function filesBelow(root: string, below = ""): Promise<{ path: string; size: number }[]> {
  const entries = await Array.fromAsync(Deno.readDir(`${root}/${below}`));
  const parts = await Promise.all(entries.map(async ({ name, isDirectory, isFile }) => {
    const path = below ? `${below}/${name}` : name;
    if (isDirectory) return await filesBelow(root, path);
    return isFile ? [{ path, size: (await Deno.stat(`${root}/${path}`)).size }] : [];
  }));
  return parts.flat();
}
