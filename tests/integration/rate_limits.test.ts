/** Rate limits over HTTPS: what is counted, what is answered, and that a refusal writes nothing. */

import { assert, assertEquals } from "@std/assert";
import { testsOnStack, type TestStack } from "../support/stack.ts";
import { asStranger, asUser, refusal } from "../support/frontend.ts";

// Three an hour for each user, five for all.
const limited = { type: "Limited", payload: {} };

const post = (stack: TestStack, body: unknown, as: Record<string, string>) =>
  stack.post("dispatch", body, as);

async function statuses(stack: TestStack, times: number, as: Record<string, string>) {
  const found: number[] = [];
  for (let n = 0; n < times; n++) {
    const response = await post(stack, limited, as);
    await response.body?.cancel();
    found.push(response.status);
  }
  return found;
}

testsOnStack({}, (test) => {
  test("a user who reaches the limit is told when to come again", async (stack) => {
    const as = await asUser(stack);
    assertEquals(await statuses(stack, 3, as), [202, 202, 202]);
    const response = await post(stack, limited, as);
    const retryAfter = Number(response.headers.get("retry-after"));
    assert(retryAfter > 1_100 && retryAfter <= 1_200, `Retry-After: ${retryAfter}`);
    assert(response.headers.get("access-control-expose-headers")?.includes("retry-after"));
    assertEquals([response.status, (await response.json()).code], [429, "rate_limited"]);
    assertEquals(await stack.count(), 3);
  });

  test("one user's limit is not another's, and the total is everyone's", async (stack) => {
    assertEquals(await statuses(stack, 4, await asUser(stack)), [202, 202, 202, 429]);
    assertEquals(await statuses(stack, 3, await asUser(stack)), [202, 202, 429]);
    assertEquals(await statuses(stack, 1, asStranger(stack)), [429]);
    assertEquals(await stack.count(), 5);
  });

  test("strangers share one allowance", async (stack) => {
    assertEquals(await statuses(stack, 4, asStranger(stack)), [202, 202, 202, 429]);
    assertEquals(await statuses(stack, 1, await asUser(stack)), [202]);
  });

  test("a secret key is not limited, and uses nothing up", async (stack) => {
    await stack.dispatch(Array.from({ length: 20 }, () => limited));
    assertEquals(await statuses(stack, 1, await asUser(stack)), [202]);
  });

  test("an array counts all its messages, and is written whole or not at all", async (stack) => {
    const as = await asUser(stack);
    const free = { type: "Note", payload: { text: "x" } };
    assertEquals(await refusal(await post(stack, [limited, limited, free], as)), [202]);
    const two = [{ ...limited, idempotencyKey: "k" }, limited];
    assertEquals((await refusal(await post(stack, two, as)))[0], 429);
    assertEquals(await stack.count(), 3);
    const keys = await stack.sql`select from messenger.idempotency_keys`;
    assertEquals(keys.length, 0);
    assertEquals(await refusal(await post(stack, limited, as)), [202]);
  });

  test("an array that no wait would let through is refused for good", async (stack) => {
    const response = await post(stack, [1, 2, 3, 4].map(() => limited), await asUser(stack));
    assertEquals(response.headers.get("retry-after"), null);
    assertEquals(await refusal(response), [400, "invalid_request", ["type"]]);
  });

  test("a schedule counts as one message", async (stack) => {
    const as = await asUser(stack);
    const schedule = { type: "interval", config: { interval: "1h" } };
    for (let n = 0; n < 3; n++) {
      assertEquals(await refusal(await post(stack, { ...limited, schedule }, as)), [201]);
    }
    assertEquals((await refusal(await post(stack, { ...limited, schedule }, as)))[0], 429);
    assertEquals(await statuses(stack, 1, as), [429]);
    const schedules = await stack.sql`
      delete from public.messenger_schedules where message_type = 'Limited' returning id`;
    assertEquals(schedules.length, 3);
  });

  test("types without a limit leave no trace of their callers", async (stack) => {
    const response = await post(
      stack,
      { type: "Open", payload: { text: "x" } },
      await asUser(stack),
    );
    assertEquals(await refusal(response), [202]);
    const rows = await stack.sql`select from messenger.rate_limits`;
    assertEquals(rows.length, 0);
  });
});
