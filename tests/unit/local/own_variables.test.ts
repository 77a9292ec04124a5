/** The functions' own variables on this machine: read from a file, without the platform's names. */

import { assertEquals } from "@std/assert";
import { readOwnVariables } from "../../../local/function_environment.ts";

Deno.test("variables are read from the file, and those of the platform are left out", async () => {
  const file = await Deno.makeTempFile({ suffix: ".env" });
  try {
    const text =
      "# mail\nMAIL_API_URL=https://mail.example\nEU_KEY='a # b'\nSUPABASE_URL=http://x\n";
    await Deno.writeTextFile(file, text);
    assertEquals(await readOwnVariables(file), {
      MAIL_API_URL: "https://mail.example",
      EU_KEY: "a # b",
    });
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("without the file there are none", async () => {
  assertEquals(await readOwnVariables("/nowhere/.env"), {});
});
