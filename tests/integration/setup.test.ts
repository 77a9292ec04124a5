/** The setup over HTTP, and a library that is newer than its schema. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  SCHEMA_VERSION,
  VERSION,
} from "../../supabase/functions/_shared/symphony/runtime/version.ts";
import { ask } from "../support/management.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

/** Takes away all that a clone of the schema lacks. */
async function leaveSchemaAlone({ sql }: TestStack): Promise<void> {
  await sql`delete from public.messenger_queues where true`;
  await sql`delete from cron.job where jobname like 'symphony-%'`;
  await sql`delete from vault.secrets where true`;
}

async function failing(stack: TestStack): Promise<string[]> {
  const { body } = await ask(stack, "GET", "/health");
  return body.checks.filter(({ ok }: { ok: boolean }) => !ok).map(({ name }: { name: string }) =>
    name
  );
}

async function setVersion({ sql }: TestStack, version: string): Promise<void> {
  await sql.unsafe(`create or replace function public.messenger_version() returns text
    language sql immutable parallel safe set search_path = '' as $$ select '${version}'::text $$`);
}

testsOnStack({ net: true }, (test) => {
  test("what a schema alone lacks is told by its health, and made by one call", async (stack) => {
    await leaveSchemaAlone(stack);
    await stack.dispatch({ type: "Note", payload: { text: "waits" }, delay: "100ms" });
    await stack.sql`update public.messenger_ticks set ended_at = now() where true`;
    const told = await failing(stack);
    for (const name of ["cron_job", "cron_jobs", "vault_secrets"]) {
      assert(told.includes(name), name);
    }

    const { status, body } = await ask(stack, "POST", "/setup");
    assertEquals(status, 200);
    assertEquals([body.changed, body.secrets, body.problems, body.tick], [
      true,
      ["symphony_url", "symphony_secret_key"],
      [],
      null,
    ]);
    assert(Object.values(body.jobs).every((done) => done === "created"));
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
    await eventually(() => failing(stack), (names) => names.length === 0);

    const again = await ask(stack, "POST", "/setup");
    assertEquals([again.body.changed, again.body.secrets], [false, []]);
  });

  test("the setup is in the action log, without the key", async (stack) => {
    await leaveSchemaAlone(stack);
    await stack.sql`truncate public.messenger_actions`;
    await ask(stack, "POST", "/setup", { repair: false });
    const { body: { actions } } = await ask(stack, "GET", "/actions");
    assertEquals(actions.map(({ action }: { action: string }) => action), ["setup"]);
    assertEquals(Object.keys(actions[0].target).sort(), ["repair", "url"]);
    assert(!JSON.stringify(actions).includes(stack.secretKey));
  });

  test("a setup with a wrong value is refused, and writes nothing", async (stack) => {
    await leaveSchemaAlone(stack);
    for (
      const [body, path] of [
        [{ url: "example.org" }, "url"],
        [{ key: "other" }, "key"],
        [{ repair: "yes" }, "repair"],
        [{ secretKey: "sb_secret_x" }, "secretKey"],
      ] as const
    ) {
      const { status, body: problem } = await ask(stack, "POST", "/setup", body);
      assertEquals([status, problem.code], [400, "invalid_request"], path);
      assertEquals(problem.issues[0].path.join("."), path);
    }
    assertEquals((await stack.sql`select from vault.secrets`).length, 0);
    assertEquals((await ask(stack, "POST", "/setup")).status, 200);
  });

  test("the health tells the versions of the library and of the schema", async (stack) => {
    const { body } = await ask(stack, "GET", "/health");
    assertEquals(body.versions, {
      library: VERSION,
      needs: SCHEMA_VERSION,
      schema: SCHEMA_VERSION,
    });
  });

  test("a library that is newer than its schema claims nothing and says what to do", async (stack) => {
    // Without secrets no tick is asked for. One that the tests before have left awake would take the message.
    await stack.sql`delete from vault.secrets where true`;
    await stack.killFunction("tick");
    await stack.sql`update public.messenger_ticks set ended_at = now() where ended_at is null`;
    await setVersion(stack, "0.0.9");
    await stack.dispatch({ type: "Note", payload: { text: "waits" } });
    try {
      // The functions have found the schema new enough before; they judge each tick.
      const response = await stack.post("tick", {});
      const { code, message } = await response.json();
      assertEquals([response.status, code], [503, "outdated_schema"]);
      assertStringIncludes(message, "is version 0.0.9");
      assertStringIncludes(message, `needs ${SCHEMA_VERSION}`);
      assertStringIncludes(message, "supabase db push");
      assertEquals((await stack.effects()).length, 0);
      const [row] = await stack.sql`select attempts, status from public.messenger_messages`;
      assertEquals(row, { attempts: 0, status: "pending" });
      // No dispatch counts on that tick, nor on one that the tests before have asked for.
      await eventually(
        async () =>
          await stack.sql`select from messenger.ticks_awake() where started_at is not null`,
        (awake) => awake.length === 0,
      );
      assert((await failing(stack)).includes("schema"));
    } finally {
      await setVersion(stack, SCHEMA_VERSION);
      await ask(stack, "POST", "/setup");
    }
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
  });

  test("a library that is older than its schema keeps working", async (stack) => {
    await setVersion(stack, "99.0.0");
    try {
      await stack.dispatch({ type: "Note", payload: { text: "x" } });
      await eventually(() => stack.effects(), (effects) => effects.length === 1);
    } finally {
      await setVersion(stack, SCHEMA_VERSION);
    }
  });

  test("a call that an older schema does not know is told as an older schema", async (stack) => {
    await setVersion(stack, "0.0.9");
    await stack.sql`alter function public.messenger_start_tick rename to later_start_tick`;
    await stack.sql`notify pgrst, 'reload schema'`;
    try {
      await eventually(async () => {
        const response = await stack.post("tick", {});
        return (await response.json()).code;
      }, (code) => code === "outdated_schema");
    } finally {
      await stack.sql`alter function public.later_start_tick rename to messenger_start_tick`;
      await setVersion(stack, SCHEMA_VERSION);
      await stack.sql`notify pgrst, 'reload schema'`;
    }
    await eventually(async () => {
      const response = await stack.post("tick", {});
      await response.body?.cancel();
      return response.status;
    }, (status) => status === 200);
  });
});
