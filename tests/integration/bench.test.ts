/** The benchmarks in a quick run: that they work, not how fast anything is. */

import { assert, assertEquals } from "@std/assert";
import { readResults } from "../../bench/report/store.ts";

Deno.test({
  name: "a quick run measures every workload, with each message handled exactly once",
  // They choose their Postgres themselves: a second run of the tests would run the same again.
  ignore: Deno.env.has("SYMPHONY_TEST_POSTGRES"),
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "symphony-bench-" });
    try {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "bench", "--quick", "--out", folder, "--plots", folder],
        cwd: new URL("../..", import.meta.url).pathname,
      }).output();
      const printed = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assertEquals(code, 0, printed);

      const results = await readResults(folder);
      assertEquals(
        results.map(({ id }) => id),
        [...Array.from({ length: 18 }, (_, index) => `W${index + 1}`), "W20", "W21", "W22"],
      );
      const page = await Deno.readTextFile(`${folder}/README.md`);
      for (const { id, title, measurements = [], error } of results) {
        assertEquals(error, undefined);
        assert(measurements.length > 0, `${id} measured nothing`);
        for (const { name, unit, values } of measurements) {
          assert(values.length > 0 && unit !== "", `${id}: ${name}`);
          assert(page.includes(`| ${name} `), `${id}: ${name} is not in the table`);
        }
        assert(page.includes(`## ${id}: ${title}`));
      }
      for (const system of ["ours", "graphile-worker", "pg-boss"]) {
        assert(results[0]?.measurements?.some(({ name }) => name === system));
      }

      const plots = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".svg"));
      assertEquals(plots.length, 11);
      for (const { name } of plots) {
        const svg = await Deno.readTextFile(`${folder}/${name}`);
        assert(svg.startsWith("<svg ") && svg.endsWith("</svg>\n"), name);
        assert(!/NaN|undefined|Infinity/.test(svg), `${name}: ${svg}`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
