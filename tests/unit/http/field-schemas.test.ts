/** A page's `limit`, for users and for operators. */

import { assertEquals } from "@std/assert";
import { limitField } from "../../../supabase/functions/_shared/symphony/http/field-schemas.ts";
import { limit } from "../../../supabase/functions/_shared/symphony/management/query-fields.ts";

Deno.test("a refused limit of a page is told which numbers there are", () => {
  for (const [schema, largest] of [[limitField(100), 100], [limit, 200]] as const) {
    for (const wrong of ["0", `${largest + 1}`, "1000", "99999999999", "-1", "1.5", "ten", ""]) {
      assertEquals(
        schema.safeParse(wrong).error?.issues.map(({ message }) => message),
        [`has to be a whole number from 1 to ${largest}`],
        wrong,
      );
    }
    assertEquals([schema.parse("1"), schema.parse(`${largest}`)], [1, largest]);
    assertEquals(schema.parse(undefined), 50);
  }
});
