/** Warnings of files that git ignores. */

import { assertEquals } from "@std/assert";
import { ignoredNotes } from "../../../../cli/project/ignored.ts";
import { describeNote } from "../../../../cli/project/plan.ts";

const PATHS = ["supabase/functions/dispatch/deno.json", "supabase/functions/dispatch/index.ts"];
const CHANGES = PATHS.map((path) => ({ path, text: "" }));

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a file that git ignores is told with the pattern that ignores it", async () => {
  await inFolder(async (folder) => {
    await new Deno.Command("git", { args: ["init", "-q", folder] }).output();
    await Deno.writeTextFile(`${folder}/.gitignore`, "node_modules\n*.json\n");
    const project = `${folder}/app`;
    await Deno.mkdir(project);
    assertEquals(ignoredNotes(project, CHANGES).map(describeNote), [
      `warning: ${PATHS[0]}: git ignores it: .gitignore:2 has *.json\n` +
      `  Take the pattern out, or commit the file with git add --force ${PATHS[0]}.`,
    ]);
    assertEquals(ignoredNotes(project, [{ path: PATHS[0] ?? "", text: null }]), []);
  });
});

Deno.test("outside of a repository nothing is told", async () => {
  await inFolder((folder) => {
    assertEquals(ignoredNotes(folder, CHANGES), []);
    assertEquals(ignoredNotes(`${folder}/missing`, CHANGES), []);
    return Promise.resolve();
  });
});
