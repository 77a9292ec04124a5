/** Names and their addresses: each is checked before a call connects. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  checkedAddresses,
  isAllowedPrivate,
} from "../../../supabase/functions/_shared/symphony/webhooks/host-addresses.ts";
import {
  HostNotFoundError,
  WebhookRefusedError,
} from "../../../supabase/functions/_shared/symphony/webhooks/webhook-errors.ts";

const look = (url: string, addresses?: readonly string[]) =>
  checkedAddresses(new URL(url), {
    allowPrivate: [],
    lookUp: () => Promise.resolve(addresses),
  });

Deno.test("a name's addresses come with IPv4 first, at most three", async () => {
  assertEquals(
    await look("https://a.example", ["2606:4700::1", "1.1.1.1", "1.0.0.1", "8.8.8.8"]),
    ["1.1.1.1", "1.0.0.1", "8.8.8.8"],
  );
});

Deno.test("one private address among public ones refuses the name", async () => {
  const error = await assertRejects(
    () => look("https://a.example", ["1.1.1.1", "169.254.169.254"]),
    WebhookRefusedError,
  );
  assertEquals(
    error.message,
    "url: a.example leads to 169.254.169.254, which is not a public address; it is not called",
  );
});

Deno.test("every spelling of a private address in a URL is refused without a look-up", async () => {
  for (
    const host of [
      ...["127.0.0.1", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "127.0.0.1."],
      ...["[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[fd00::1]"],
      ...["localhost", "LOCALHOST", "localhost.", "a.localhost", "metadata.google.internal"],
    ]
  ) await assertRejects(() => look(`https://${host}/`, ["1.1.1.1"]), WebhookRefusedError);
});

Deno.test("a name without an address may have one later, and one that cannot be looked up is told apart", async () => {
  await assertRejects(() => look("https://a.example", []), HostNotFoundError, "a.example");
  assertEquals(await look("https://a.example"), undefined);
});

Deno.test("a host is allowed by its name, or with a port, the protocol's own too", () => {
  const allows = (rule: string, url: string) =>
    isAllowedPrivate(new URL(url), { allowPrivate: [rule] });
  for (const url of ["https://a.internal/x", "https://a.internal:443", "http://a.internal:443"]) {
    assertEquals([allows("a.internal:443", url), allows("a.internal", url)], [true, true], url);
  }
  assertEquals(allows("a.internal:80", "http://a.internal"), true);
  assertEquals(allows("[::1]:443", "https://[::1]"), true);
  assertEquals(allows("a.internal:443", "http://a.internal"), false);
  assertEquals(allows("a.internal:443", "https://a.internal:444"), false);
});
