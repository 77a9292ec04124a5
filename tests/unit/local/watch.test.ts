/** Which processes the local stack takes for those that it was started through. */

import { assertEquals } from "@std/assert";
import { launches, watchFolder } from "../../../local/watch.ts";

const commandLines: [boolean, string[]][] = [
  [true, ["npm exec deno@2 task start", "", "", ""]],
  [true, ["npm exec deno@2 run -A local/start.ts --data-dir /srv/a folder/data", "", ""]],
  [true, ["npm exec deno@2 task start --data-dir ./.local", ""]],
  [true, ["sh", "-c", "'deno' task start --data-dir /srv/data", ""]],
  [true, ["/usr/local/bin/deno", "task", "start", ""]],
  [true, ["/home/a user/.deno/bin/deno", "task", "start", ""]],
  [true, ["node", "/usr/bin/npx", "-y", "deno@2", "task", "start", ""]],
  [false, ["-bash", ""]],
  [false, ["/bin/bash", ""]],
  [false, ["bash", "-c", "make all", ""]],
  [false, ["node", "/srv/editor/server.js", ""]],
  [false, ["npm run dev --prefix /srv/app", "", ""]],
  [false, ["sshd: deno [priv]", ""]],
  [false, ["", ""]],
];
for (const [expected, commandLine] of commandLines) {
  Deno.test(`${commandLine.join(" ").trim() || "nothing"} ${expected ? "only starts" : "does more than start"} the stack`, () => {
    assertEquals(launches(commandLine), expected);
  });
}

for (const made of [false, true]) {
  Deno.test(`a data folder that is moved away is noticed${made ? ", also where another is made in its place" : ""}`, async () => {
    const parent = await Deno.makeTempDir({ prefix: "symphony-watch-" });
    const path = `${parent}/data`;
    await Deno.mkdir(path);
    const { promise, resolve } = Promise.withResolvers<Error>();
    watchFolder(path, resolve);
    await Deno.rename(path, `${parent}/moved`);
    if (made) await Deno.mkdir(path);
    assertEquals((await promise).message, `the data folder ${path} is gone: the stack has ended`);
    await Deno.remove(parent, { recursive: true });
  });
}
