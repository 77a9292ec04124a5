/** From one release to the next, through the files of a user's project. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { migrate } from "../../local/migrate.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { publishNextPackage } from "../support/next_package.ts";
import { NEXT } from "../support/next_release.ts";
import { createPlainDatabase, type PlainDatabase } from "../support/plain_database.ts";
import { hasPgbouncer, startPooler } from "../support/pooler.ts";
import {
  createUserProject,
  RELEASES,
  stampAfter,
  type UserProject,
} from "../support/user_project.ts";

const ENV = { SYMPHONY_URL: "http://127.0.0.1:9", SYMPHONY_SECRET_KEY: "sb_secret_test" };
const NOTES_STAMP = "20270101000000";
const NOTES = `supabase/migrations/${NOTES_STAMP}_notes.sql`;

/** The file that upgrade adds behind those that init has added. */
const ADDED = `supabase/migrations/${
  stampAfter(NOTES_STAMP, RELEASES.length + 1)
}_symphony_${NEXT}.sql`;

let project: UserProject;
let database: PlainDatabase;

Deno.test.beforeAll(async () => void await publishNextPackage());

Deno.test.beforeEach(async () => {
  [project, database] = await Promise.all([
    createUserProject({ [NOTES]: "create table public.notes (id int);\n" }),
    createPlainDatabase(),
  ]);
  await project.symphony(["init"]);
});

Deno.test.afterEach(async () => {
  await project.remove();
  await database.drop();
});

/** Applies the migrations that are missing. */
function apply(): Promise<void> {
  return migrate({ projectDir: project.dir, url: database.ownerUrl, env: ENV, by: "sql" });
}

/** Upgrades the project with the package of the test release. @returns the files that were added or changed */
async function upgrade(): Promise<string[]> {
  const before = await project.files();
  const { code, text } = await project.symphony(["upgrade"], { version: NEXT });
  assertEquals(code, 0, text);
  const after = await project.files();
  return [...after].filter(([path, text]) => before.get(path) !== text).map(([path]) => path)
    .sort();
}

async function versionOf(): Promise<string> {
  const [found] = await database.sql<{ version: string }[]>`select messenger_version() as version`;
  return found?.version ?? "";
}

Deno.test("upgrade adds the next release's migration, which the database takes", async () => {
  await apply();
  assertEquals(await upgrade(), [
    "supabase/functions/_messages/import_map.json",
    ADDED,
  ]);
  await apply();
  assertEquals(await versionOf(), NEXT);
  assertStringIncludes(
    await project.read("supabase/functions/_messages/import_map.json"),
    `"npm:symphony-messenger@${NEXT}"`,
  );
  assertEquals(await upgrade(), []);
});

Deno.test("a project whose migrations were merged into one file is upgraded as well", async () => {
  await apply();
  const folder = `${project.dir}/supabase/migrations`;
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  const texts = names.map((name) => Deno.readTextFileSync(`${folder}/${name}`));
  for (const name of names) Deno.removeSync(`${folder}/${name}`);
  // A squash keeps the stamp of the last file.
  const squashed = `${stampAfter(NOTES_STAMP, RELEASES.length)}_squashed.sql`;
  await project.write(`supabase/migrations/${squashed}`, texts.join("\n"));
  assertEquals((await upgrade())[1], ADDED);
  await apply();
  assertEquals(await versionOf(), NEXT);
});

Deno.test({
  name:
    "through pgbouncer in transaction mode a release and the next are pushed, and the doctor is content",
  ignore: !hasPgbouncer,
  fn: async () => {
    await using pooler = await startPooler(database.ownerUrl);
    const dataDir = await Deno.makeTempDir({ prefix: "symphony-stack-" });
    await using stack = await startStack({
      projectDir: project.dir,
      functionsDir: new URL("../../supabase/functions", import.meta.url).pathname,
      dataDir,
      postgres: { url: database.url },
      migrate: false,
      cron: false,
    });
    const keys = { SUPABASE_URL: stack.url, SUPABASE_SECRET_KEY: stack.secretKey };
    const push = async () => {
      const env = { SYMPHONY_URL: stack.url, SYMPHONY_SECRET_KEY: stack.secretKey };
      const { code, text } = await project.push(pooler.url, env);
      assertEquals(code, 0, text);
    };
    await push();
    await tick(stack);
    const healthy = await project.symphony(["doctor"], { env: keys });
    assertEquals(healthy.code, 0, healthy.text);

    await upgrade();
    await push();
    assertEquals(await versionOf(), NEXT);
    const later = await project.symphony(["doctor"], { env: keys, version: NEXT });
    // The functions are of the release before.
    assertMatch(later.text, new RegExp(`^ok +objects +as release ${NEXT} has them`, "m"));
    await Deno.remove(dataDir, { recursive: true });
  },
});

async function tick({ url, secretKey }: Stack): Promise<void> {
  const headers = { apikey: secretKey };
  const response = await fetch(`${url}/functions/v1/tick`, { method: "POST", headers });
  assertEquals(response.status, 200, await response.text());
}
