/** The doctor over foreign keys of a project's own. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkReferences } from "../../../../cli/doctor/references.ts";

const on = "public.messenger_messages";
const references = "REFERENCES public.messenger_messages(id)";

Deno.test("no foreign key on the bus is right", () => {
  assertEquals(checkReferences([]).ok, true);
});

for (
  const [given, wanted] of [
    ["", " ON DELETE CASCADE"],
    [" ON DELETE RESTRICT DEFERRABLE", " ON DELETE CASCADE DEFERRABLE"],
    [" ON UPDATE CASCADE NOT VALID", " ON UPDATE CASCADE ON DELETE CASCADE NOT VALID"],
  ] as const
) {
  Deno.test(`a foreign key on messages${given} is told with its table and the statement that mends it`, () => {
    const key = `FOREIGN KEY (message_id) ${references}`;
    const { ok, found, advice } = checkReferences([
      { name: "orders_fkey", table: "public.orders", on, definition: key + given },
    ]);
    assertEquals([ok, found], [false, `orders_fkey of public.orders on ${on}`]);
    assertStringIncludes(
      advice ?? "",
      `alter table public.orders drop constraint orders_fkey, add constraint orders_fkey ${key}${wanted};`,
    );
  });
}
