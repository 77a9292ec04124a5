/** The library's doors: the files that each of them loads, and the names that users import. */

import { assert, assertEquals } from "@std/assert";
import * as index from "../../supabase/functions/_shared/symphony/index.ts";

const FUNCTIONS = new URL("../../supabase/functions/", import.meta.url);
const LIBRARY = new URL("_shared/symphony/", FUNCTIONS).href;

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier: string };
    readonly isDynamic?: boolean;
  }[];
}

/** The library's files that a module loads before it runs, by their paths in the library. */
async function loadedBy(path: string): Promise<string[]> {
  const root = new URL(path, FUNCTIONS);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", root.pathname],
    cwd: new URL("../..", import.meta.url).pathname,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] };
  const byUrl = new Map(modules.map((module) => [module.specifier, module]));
  const loaded = new Set([root.href]);
  for (const url of loaded) {
    for (const { code, isDynamic } of byUrl.get(url)?.dependencies ?? []) {
      if (code && !isDynamic) loaded.add(code.specifier);
    }
  }
  return [...loaded].filter((url) => url.startsWith(LIBRARY)).map((url) =>
    url.slice(LIBRARY.length)
  );
}

const isIn = (...rooms: string[]) => (file: string) =>
  rooms.some((room) => file === room || file.startsWith(`${room}/`));
const IN_MEMORY = ["testing.ts", "testing", "transport/memory.ts", "transport/memory-rows.ts"];

/** The sender of webhooks: only the first call loads it. */
const SENDING = [
  "post-webhook.ts",
  "pinned-connection.ts",
  "deliver-webhook.ts",
  "http-answer.ts",
  "verify-webhook.ts",
]
  .map((name) => `webhooks/${name}`);

/** The management API's resources: a request loads those of its path. */
const RESOURCES = ["queues.ts", "messages.ts", "message-schemas.ts", "status.ts", "webhooks.ts"]
  .map((name) => `management/${name}`);

const doors: [path: string, loads: string, never: string[]][] = [
  [
    "dispatch/index.ts",
    "webhooks/define-webhook.ts",
    ["worker", "management", "http/tick-app.ts", "http/dispatch-app.ts", ...SENDING, ...IN_MEMORY],
  ],
  ["_shared/symphony/http/dispatch-app.ts", "http/dispatcher.ts", [
    "worker",
    "management",
    ...IN_MEMORY,
  ]],
  ["_shared/symphony/http/tick-app.ts", "worker/worker.ts", [
    "management",
    ...SENDING,
    ...IN_MEMORY,
  ]],
  ["tick/index.ts", "bus/bus.ts", ["management", "http/dispatch-app.ts", ...IN_MEMORY]],
  ["_shared/symphony/http/management-app.ts", "management/index.ts", [
    "worker",
    "http/dispatch-app.ts",
    ...RESOURCES,
    ...IN_MEMORY,
  ]],
  ["_shared/symphony/http/webhook-app.ts", "webhooks/verify-webhook.ts", [
    "worker",
    "management",
    ...IN_MEMORY,
  ]],
  ["messenger/index.ts", "bus/bus.ts", ["worker", "http/dispatch-app.ts", ...IN_MEMORY]],
  [
    "_shared/symphony/index.ts",
    "message/define-message.ts",
    ["edge.ts", "worker", "management", "http", ...IN_MEMORY],
  ],
];
for (const [path, loads, never] of doors) {
  Deno.test(`${path} loads nothing of ${never.slice(0, -IN_MEMORY.length).join(", ")} and the test kit`, async () => {
    const files = await loadedBy(path);
    assertEquals(files.filter(isIn(...never)), []);
    assert(files.includes(loads), `${loads} is not among ${files.join(", ")}`);
  });
}

Deno.test("each function is a call of a door, of at most 12 lines", async () => {
  for (const name of ["dispatch", "tick", "messenger"]) {
    const text = await Deno.readTextFile(new URL(`${name}/index.ts`, FUNCTIONS));
    assert(text.trimEnd().split("\n").length <= 12, name);
    assert(/^export default create\w+\(project\);$/m.test(text), name);
  }
});

Deno.test("index.ts names each of its exports, and exports no part of the worker", async () => {
  const text = await Deno.readTextFile(new URL("index.ts", LIBRARY));
  assertEquals(text.match(/export \*/g), null);
  const names = Object.keys(index);
  assertEquals(names.filter((name) => /worker$|^run|App$|^InMemory/i.test(name)), []);
  for (const name of ["defineMessage", "defineSchedule", "snooze", "Scheduler", "RetryManager"]) {
    assert(names.includes(name), name);
  }
});
