// The bounded cache behind the cron evaluator.
import { assertEquals, assertThrows } from "@std/assert";
import { boundedCache } from "../../../supabase/functions/_shared/symphony/scheduler/bounded-cache.ts";

Deno.test("a cached value is computed once", () => {
  const computed: string[] = [];
  const cache = boundedCache(2, (key: string) => {
    computed.push(key);
    return key.length;
  });
  assertEquals([cache("one"), cache("three"), cache("one")], [3, 5, 3]);
  assertEquals(computed, ["one", "three"]);
});

Deno.test("a full cache forgets the key that was added first", () => {
  const computed: string[] = [];
  const cache = boundedCache(2, (key: string) => {
    computed.push(key);
    return key;
  });
  for (const key of ["a", "b", "c", "b", "c", "a"]) cache(key);
  assertEquals(computed, ["a", "b", "c", "a"]);
});

Deno.test("a value that could not be computed is not cached", () => {
  let attempts = 0;
  const cache = boundedCache(2, (key: string) => {
    attempts++;
    if (attempts === 1) throw new RangeError("not yet");
    return key;
  });
  assertThrows(() => cache("a"), RangeError, "not yet");
  assertEquals(cache("a"), "a");
});
