/** Permissions for the management API, and its refusals of other callers and unknown paths. */

import { assertEquals } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { forgeries } from "../support/forgeries.ts";
import { asUser } from "../support/frontend.ts";
import { actions, ask, clearManaged, refusal } from "../support/management.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const env = {
  SYMPHONY_ADMIN_ROLES: "admin, ops",
  SYMPHONY_READ_ONLY_ROLES: "support",
};

function user(stack: TestStack, appMetadata: Record<string, unknown>, more = {}) {
  return asUser(stack, { appMetadata, ...more });
}

const PAUSE = "/queues/default/pause";

testsOnStack({ env }, (test) => {
  test("without credentials, or with wrong ones, nothing is answered, not even what there is", async (stack) => {
    await clearManaged(stack);
    const wrong = [
      {},
      { apikey: stack.publishableKey },
      { apikey: "sb_secret_wrong" },
      { authorization: "Bearer x.y.z" },
    ];
    for (const headers of wrong) {
      for (const path of ["/queues", "/health", "/openapi.json", "/nowhere"]) {
        const { status, body } = await ask(stack, "GET", path, undefined, headers);
        assertEquals([status, body.code], [401, "unauthorized"]);
      }
    }
    assertEquals((await ask(stack, "POST", PAUSE, {}, {})).status, 401);
    assertEquals(await actions(stack), []);
  });

  test("users with an admin role may change things, and the log knows them", async (stack) => {
    await clearManaged(stack);
    const sub = crypto.randomUUID();
    const one = await user(stack, { role: "admin" }, { sub });
    assertEquals((await ask(stack, "POST", PAUSE, {}, one)).body.paused, true);
    const many = await user(stack, { roles: ["staff", "ops"] }, { sub });
    assertEquals((await ask(stack, "POST", "/queues/default/resume", {}, many)).status, 200);
    assertEquals((await ask(stack, "POST", PAUSE)).status, 200);
    assertEquals(await actions(stack), [
      [sub, "set_queue", 1],
      [sub, "set_queue", 1],
      ["secret key default", "set_queue", 1],
    ]);
  });

  test("users with a read-only role may read only", async (stack) => {
    await clearManaged(stack);
    const headers = await user(stack, { role: "support" });
    assertEquals((await ask(stack, "GET", "/queues", undefined, headers)).status, 200);
    for (const [method, path] of [["POST", PAUSE], ["PATCH", "/queues/default"]] as const) {
      assertEquals(refusal(await ask(stack, method, path, {}, headers)).slice(0, 2), [
        403,
        "forbidden",
      ]);
    }
    assertEquals((await ask(stack, "DELETE", "/schedules/1", undefined, headers)).status, 403);
    assertEquals(await actions(stack), []);
  });

  test("each caller is told who it is and whether it may change anything", async (stack) => {
    const sub = crypto.randomUUID();
    const access = async (headers?: Record<string, string>) => {
      const { body: { now, ...told } } = await ask(stack, "GET", "/access", undefined, headers);
      assertEquals(new Date(now).toISOString(), now);
      return told;
    };
    assertEquals(await access(), {
      actor: "secret key default",
      mayChange: true,
      hasSecretKey: true,
    });
    assertEquals(await access(await user(stack, { role: "admin" }, { sub })), {
      actor: sub,
      mayChange: true,
      hasSecretKey: false,
    });
    assertEquals(await access(await user(stack, { role: "support" }, { sub })), {
      actor: sub,
      mayChange: false,
      hasSecretKey: false,
    });
    assertEquals((await ask(stack, "GET", "/access", undefined, {})).status, 401);
  });

  test("other users are no operators, whatever they write into their own metadata", async (stack) => {
    const others = [
      await user(stack, {}),
      await user(stack, { role: "adm" }),
      await user(stack, { role: ["admin"] }),
      await user(stack, { roles: "admin" }),
      await user(stack, {}, { userMetadata: { role: "admin" } }),
      await user(stack, { role: "admin" }, { isAnonymous: true }),
      await user(stack, {}, { claims: { user_role: "admin" } }),
    ];
    for (const headers of others) {
      assertEquals((await ask(stack, "GET", "/queues", undefined, headers)).status, 403);
    }
  });

  test("no forged, foreign, expired or broken token is an operator's, nor is it answered where the publishable key stands beside it", async (stack) => {
    await clearManaged(stack);
    const admin = { sub: crypto.randomUUID(), appMetadata: { role: "admin" } };
    // The token that all of them are made from is good.
    assertEquals((await ask(stack, "POST", PAUSE, {}, await user(stack, {}, admin))).status, 200);
    await clearManaged(stack);
    for (const [what, token] of await forgeries(stack, admin)) {
      for (const beside of [{}, { apikey: stack.publishableKey }]) {
        const headers = { authorization: `Bearer ${token}`, ...beside };
        for (const [method, path] of [["GET", "/queues"], ["POST", PAUSE]] as const) {
          const { status, body } = await ask(stack, method, path, undefined, headers);
          assertEquals([what, method, status, body.code], [what, method, 401, "unauthorized"]);
        }
      }
    }
    assertEquals(await actions(stack), []);
  });

  test("what users write into their own metadata grants no role, as supabase-js lets them", async (stack) => {
    const auth = { persistSession: false, autoRefreshToken: false };
    const role = { role: "admin", roles: ["admin", "ops"] };
    const email = `${crypto.randomUUID()}@example.org`;
    for (
      const signUp of [
        { email, password: "correct horse", options: { data: { ...role, app_metadata: role } } },
        null,
      ]
    ) {
      const supabase = createClient(stack.url, stack.publishableKey, { auth });
      const { data } = signUp
        ? await supabase.auth.signUp(signUp)
        : await supabase.auth.signInAnonymously({ options: { data: role } });
      const written = data.user?.user_metadata ?? {};
      assertEquals([written.role, written.roles], [role.role, role.roles]);
      const headers = {
        authorization: `Bearer ${data.session?.access_token}`,
        apikey: stack.publishableKey,
      };
      const { status, body } = await ask(stack, "GET", "/queues", undefined, headers);
      assertEquals([status, body.code], [403, "forbidden"]);
    }
  });

  test("unknown paths are 404, other methods 405, malformed bodies 400", async (stack) => {
    await clearManaged(stack);
    assertEquals(refusal(await ask(stack, "GET", "/nowhere")).slice(0, 2), [404, "not_found"]);
    for (const path of ["/queues", "/schedules/1", "/failed-messages/5/redrive"]) {
      const answered = await ask(stack, "PUT", path, {});
      assertEquals([path, answered.status, answered.body.code], [path, 405, "method_not_allowed"]);
    }
    const malformed = await ask(stack, "POST", "/messages/cancel", "{");
    assertEquals([malformed.status, malformed.body.code], [400, "malformed_json"]);
    for (const body of [[], null, 5, '"x"']) {
      assertEquals((await ask(stack, "POST", "/messages/cancel", body)).status, 400);
    }
  });

  test("a browser may call it from any origin, with every method there is", async (stack) => {
    const response = await fetch(`${stack.url}/functions/v1/messenger/queues/default`, {
      method: "OPTIONS",
      headers: {
        origin: "https://ops.example",
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization,content-type",
      },
    });
    await response.body?.cancel();
    const allowed = response.headers.get("access-control-allow-methods") ?? "";
    const { body: { paths } } = await ask(stack, "GET", "/openapi.json");
    const methods = new Set<string>(Object.values<object>(paths).flatMap(Object.keys));
    assertEquals([...methods].filter((method) => !allowed.includes(method.toUpperCase())), []);
  });

  test("the management API serves the OpenAPI document that is committed", async (stack) => {
    const { body } = await ask(stack, "GET", "/openapi.json");
    const committed = new URL("../../docs/openapi.json", import.meta.url);
    assertEquals(body, JSON.parse(await Deno.readTextFile(committed)));
  });
});
