/** The operators' command for alerts over the local stack. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { messenger } from "../support/cli.ts";
import { clearManaged } from "../support/management.ts";
import { testsOnStack } from "../support/stack.ts";

testsOnStack({}, (test) => {
  test("alerts are made, listed, changed and deleted", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    const made = await said("alerts create mail-waits oldest_ready --queue mail --threshold 10m");
    assertMatch(made.out, /^threshold +10 m$/m);
    assertMatch(
      (await said("alerts create retries retry_rate --threshold 25%")).out,
      /^threshold +0.25$/m,
    );
    assertEquals((await said("alerts create retries retry_rate")).code, 5);
    const wrong = await said("alerts create x no_tick --window 1h");
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.err, "windowMs: the rule no_tick has no window");
    const [heading, first] = (await said("alerts list")).out.split("\n");
    assertMatch(heading ?? "", /^NAME +RULE +STATE +VALUE +THRESHOLD +WINDOW +CHANNEL +ENABLED/);
    assertMatch(first ?? "", /^mail-waits +oldest_ready +resolved +- +10 ?m/);
    assertEquals(JSON.parse((await said("alerts list --json")).out)[0].threshold, 600_000);
    const late = (await said("alerts create late no_tick --threshold 90s")).out;
    assertMatch(late, /^threshold +1 m 30 s$/m);
    assertMatch((await said("alerts list")).out, /^late +no_tick +resolved +- +1 m 30 s /m);
    const changed = await said("alerts update mail-waits --queue none --enabled no --cooldown 2h");
    assertMatch(changed.out, /^queue +-$/m);
    assertMatch(changed.out, /^enabled +no$/m);
    assertEquals((await said("alerts update mail-waits")).code, 2, "nothing to change");
    assertMatch((await said("alerts show mail-waits")).out, /^cooldownMs +2 h$/m);
    assertEquals((await said("alerts delete mail-waits")).out, "mail-waits deleted");
    assertEquals((await said("alerts delete mail-waits")).code, 1);
    assertEquals((await said("alerts create x no_tick --threshold soon")).code, 2);
  });

  test("channels are set with a URL from stdin, listed without it, tested and deleted", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    const set = await said("alerts channels set ops --kind slack --url -", {
      input: "https://hooks.example/s3cret\n",
    });
    assertMatch(set.out, /^host +hooks.example$/m);
    assertMatch(
      (await said("alerts channels list")).out,
      /^ops +slack +hooks.example +- +no +yes/m,
    );
    assert(!JSON.stringify([set, await said("alerts channels list --json")]).includes("s3cret"));
    assertEquals((await said("alerts channels set ops --kind slack --secret whsec_x")).code, 2);
    assertEquals((await said("alerts channels set ops")).code, 2, "--kind is missing");
    await said("alerts channels set ops --kind message --message-type Note --default");
    assertEquals(await said("alerts channels test ops"), { code: 0, out: "delivered", err: "" });
    assertMatch((await said("alerts deliveries list")).out, /ops +test +delivered +1/);
    assertEquals((await said("alerts channels delete ops")).out, "ops deleted");
    assertEquals((await said("alerts channels test ops")).code, 1);
  });

  test("deliveries are listed by their state, and sent again", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    await said("alerts channels set ops --kind message --message-type Note");
    await stack.sql`
      insert into public.messenger_alert_deliveries (alert, channel, event, body, status, error)
      select 'a', 'ops', 'firing', '{"type":"messenger.alert.firing","data":{}}', status, 'HTTP 500'
      from unnest(array['failed', 'delivered']) as status`;
    const list = (await said("alerts deliveries list --status failed --limit none")).out.split(
      "\n",
    );
    assertEquals(list.length, 2);
    const [, id = ""] = /^(\d+) /.exec(list[1] ?? "") ?? [];
    assertMatch((await said(`alerts deliveries retry ${id}`)).out, /^status +delivered$/m);
    assertEquals((await said(`alerts deliveries retry ${id}`)).code, 5);
  });
});
