/** Keys and names: the text of a refusal says what is wrong with the value that it shows. */

import { assertEquals, assertThrows } from "@std/assert";
import { checkKey } from "../../../supabase/functions/_shared/symphony/runtime/checks.ts";

Deno.test("the refusal of a name with a control character says that there may be none", () => {
  for (const wrong of ["a\tb", "\0", "\ud800", "", "x".repeat(256), 5]) {
    assertThrows(
      () => checkKey(wrong, "name"),
      RangeError,
      "name: has to be 1 to 255 characters, no control characters; got ",
    );
  }
  assertEquals(checkKey("Ä 😀", "name"), "Ä 😀");
});
