/** Steps of many messages: their loads and saves share calls. */

import { assert, assertEquals } from "@std/assert";
import { define } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";
import type { Transport } from "../../../../supabase/functions/_shared/symphony/index.ts";

Deno.test("while one call saves steps, those of other messages gather for the next", async () => {
  const sizes: number[] = [];
  let begun = 0;
  const others = Promise.withResolvers<void>();
  const { bus, work, memory } = workbench([
    define(async (_payload, ctx) => {
      const isFirst = ++begun === 1;
      await ctx.step("one", async () => {
        // The others end their steps while the first one's is saved.
        if (!isFirst) await others.promise;
      });
    }),
  ], {
    wrap: (memory): Transport =>
      new Proxy(memory, {
        get(target, name) {
          if (name !== "saveSteps") {
            const value = Reflect.get(target, name, target);
            return typeof value === "function" ? value.bind(target) : value;
          }
          return async (saves: Parameters<Transport["saveSteps"]>[0]) => {
            sizes.push(saves.length);
            others.resolve();
            // Each of the others has asked by the next turn of the event loop.
            await new Promise((resolve) => setTimeout(resolve, 0));
            return await target.saveSteps(saves);
          };
        },
      }) as Transport,
  });
  await bus.dispatchAll(Array.from({ length: 10 }, () => ({ type: "T", payload: 1 })));
  await work({ concurrency: 10 });
  assertEquals(memory.handled.length, 10);
  assertEquals(sizes.reduce((sum, size) => sum + size, 0), 10);
  assert(sizes.length <= 3, `10 saves took ${sizes.length} calls`);
});
