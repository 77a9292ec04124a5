/** Tokens of events: signed, read, and forged in every part. */

import { assertEquals, assertMatch } from "@std/assert";
import {
  readToken,
  signToken,
} from "../../../supabase/functions/_shared/symphony/message/event-token.ts";

const content = { event: "approved:ä/42", messageId: "7", expiresAt: 1_000, tokenId: "t" };
const token = signToken(content, "old key");

Deno.test("a token holds what was signed, in letters that a link may have", () => {
  assertMatch(token, /^[\w.-]+$/);
  assertEquals(readToken(token, ["old key"]), content);
});

Deno.test("a token holds as long as the key that signed it is one of the project's", () => {
  assertEquals(readToken(token, ["new key", "old key"]), content);
  assertEquals(readToken(token, ["new key"]), null);
  assertEquals(readToken(token, []), null);
});

Deno.test("a token that is changed anywhere is forged", () => {
  for (let at = 0; at < token.length; at++) {
    // The last digit of base64 may hold bits that count for nothing; such a token is the same one.
    const changed = token.slice(0, at) + (token[at] === "A" ? "Q" : "A") + token.slice(at + 1);
    if (at < token.length - 1) assertEquals([at, readToken(changed, ["old key"])], [at, null]);
  }
});

Deno.test("what is no token is none", () => {
  for (const text of ["", ".", "..", "v1..", "v1.W10.", "v2" + token.slice(2), token + ".x"]) {
    assertEquals([text, readToken(text, ["old key"])], [text, null]);
  }
  assertEquals(readToken("v1." + "A".repeat(10_000), ["old key"]), null);
});

Deno.test("a signed content of another shape is no token", () => {
  const strange = signToken({ ...content, tokenId: "" }, "old key");
  assertEquals(readToken(strange, ["old key"]), null);
});
