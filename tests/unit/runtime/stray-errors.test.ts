/** Uncaught errors, in a process of its own. */

import { assertEquals } from "@std/assert";

const library = new URL("../../../supabase/functions/_shared/symphony/", import.meta.url);

/** Runs a script. Returns its exit code and its output. */
async function run(script: string): Promise<{ code: number; lines: string[] }> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", new URL("../../../deno.json", import.meta.url).pathname, script],
    env: { NO_COLOR: "1" },
    stderr: "null",
  }).output();
  return { code, lines: new TextDecoder().decode(stdout).trim().split("\n") };
}

const prelude = `
  import { surviveStrayErrors } from "${library}runtime/stray-errors.ts";
  import { createLogger } from "${library}runtime/log.ts";
  surviveStrayErrors(createLogger({ write: (level, line) => console.log(line) }));
`;

Deno.test("a process survives an uncaught rejection and an uncaught error, and logs them", async () => {
  const { code, lines } = await run(`${prelude}
    addEventListener("unhandledrejection", () => setTimeout(() => {
      setTimeout(() => console.log("alive"));
      throw new RangeError("in a callback");
    }));
    Promise.reject(new TypeError("forgotten"));
  `);
  assertEquals([code, lines.pop()], [0, "alive"]);
  const told = lines.map((line) => JSON.parse(line));
  assertEquals(
    told.map(({ level, event, kind, class: name, error }) => [level, event, kind, name, error]),
    [
      ["error", "stray_error", "unhandledrejection", "TypeError", "forgotten"],
      ["error", "stray_error", "error", "RangeError", "in a callback"],
    ],
  );
});

Deno.test("of a stray value that is no error, only its kind is logged", async () => {
  const { code, lines } = await run(`${prelude}
    Promise.reject({ card: "4111" });
    Promise.reject("4111");
  `);
  assertEquals([code, lines.some((line) => line.includes("4111"))], [0, false]);
  assertEquals(lines.map((line) => JSON.parse(line).class), ["Object", "string"]);
});

Deno.test("without the handlers of stray errors, a forgotten rejection ends the process", async () => {
  const { code, lines } = await run(`
    Promise.reject(new Error("forgotten"));
    setTimeout(() => console.log("alive"), 20);
  `);
  assertEquals([code, lines], [1, [""]]);
});
