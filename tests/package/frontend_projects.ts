/** Projects that use the client and the hooks: their files, with the compiler options of their templates. */

import { z } from "zod";
import { generatedText } from "../../cli/types/generated-text.ts";
import type { JsonSchema } from "../../cli/types/json-schema.ts";

/** The packages of supabase-js: the oldest release that the client supports, and the newest that it is tried with. */
export const SUPABASE = { oldest: "supabase-2.109.0", newest: "@supabase/supabase-js" };

const Video = z.object({ video: z.string(), width: z.int().optional() })
  .meta({ id: "Video", description: "A video." });

/** A file of generated types. */
export const GENERATED = generatedText([
  {
    type: "RenderVideo",
    isSecret: false,
    payload: z.toJSONSchema(z.object({ source: Video }), { io: "input" }) as JsonSchema,
  },
  {
    type: "mail.welcome",
    isSecret: false,
    payload: z.toJSONSchema(z.object({ to: z.email() }), { io: "input" }) as JsonSchema,
  },
], { all: false, messages: undefined });

/** The part of every project that uses a client. */
const USE = `
export async function use(supabase: Parameters<typeof createMessengerClient>[0]): Promise<void> {
  const messenger = createMessengerClient<Messages>(supabase, { live: "auto" });
  const job = await messenger.dispatch("RenderVideo", { source: { video: "a" } }, { delay: "5s" });
  await messenger.dispatch("mail.welcome", { to: "ada@example.org" });
  // @ts-expect-error: the payload has no such field
  await messenger.dispatch("RenderVideo", { source: { vidoe: "a" } });
  // @ts-expect-error: there is no such message
  await messenger.dispatch("RenderVide", { source: { video: "a" } });
  for await (const { status, progress } of job.follow()) console.log(status, progress?.value);
  try {
    await job.cancel();
  } catch (error) {
    if (isMessengerError(error) && error.code === "conflict") return;
    throw error;
  }
}
`;

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false,
  // TypeScript's own are not in question.
  skipDefaultLibCheck: true,
};

/** create-vite's template react-ts. */
export const VITE = {
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      ...STRICT,
      target: "es2023",
      useDefineForClassFields: true,
      lib: ["ES2023", "DOM", "DOM.Iterable"],
      module: "ESNext",
      types: ["vite/client"],
      moduleResolution: "bundler",
      allowImportingTsExtensions: true,
      verbatimModuleSyntax: true,
      moduleDetection: "force",
      jsx: "react-jsx",
      noUnusedLocals: true,
      noUnusedParameters: true,
      erasableSyntaxOnly: true,
      noFallthroughCasesInSwitch: true,
      noUncheckedSideEffectImports: true,
    },
    include: ["src"],
  }),
  "src/messenger.gen.ts": GENERATED,
  "src/versions.ts": `import { createMessengerClient } from "symphony-messenger/client";
import type { Messages } from "./messenger.gen.ts";
import { use } from "./use.ts";
import { createClient as createNewest } from "${SUPABASE.newest}";
import { createClient as createOldest } from "${SUPABASE.oldest}";
interface Database { public: { Tables: Record<never, never>; Views: Record<never, never>; Functions: Record<never, never> } }
const { VITE_URL, VITE_KEY }: ImportMetaEnv = import.meta.env;
${
    ["Newest", "Oldest"].map((age) => `
export const client${age} = createMessengerClient<Messages>(create${age}(VITE_URL, VITE_KEY));
export const typed${age} = use(create${age}<Database>(VITE_URL, VITE_KEY));`).join("")
  }
`,
  "src/use.ts":
    `import { createMessengerClient, isMessengerError } from "symphony-messenger/client";
import type { Messages } from "./messenger.gen.ts";
${USE}`,
  "src/app.tsx": `import type { MessengerClient } from "symphony-messenger/client";
import { MessengerProvider, useDispatch, useJob, useMessages } from "symphony-messenger/react";
import type { Messages } from "./messenger.gen.ts";

declare module "symphony-messenger/react" {
  interface Register { messages: Messages }
}

export function App({ client }: { client: MessengerClient<Messages> }) {
  return <MessengerProvider client={client}><Render /></MessengerProvider>;
}

function Render() {
  const { dispatch, message, isPending, error, cancel } = useJob("RenderVideo", { storageKey: "v" });
  const mail = useDispatch("mail.welcome");
  const { messages } = useMessages({ type: "RenderVideo" });
  // @ts-expect-error: the payload has no such field
  const wrong = () => dispatch({ source: { vidoe: "a" } });
  return (
    <button disabled={isPending} onClick={() => void dispatch({ source: { video: "a" } })} onBlur={wrong}>
      {message?.status} {error?.code} {messages.length} {mail.isPending}
      <i onClick={() => void cancel()} />
    </button>
  );
}
`,
};

/**
 * create-next-app's template. Next.js itself is not installed: it has 209 MB, and its own declarations do not pass
 * without skipLibCheck. Nothing of the client or the hooks refers to it.
 */
export const NEXT = {
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      ...STRICT,
      target: "ES2017",
      lib: ["dom", "dom.iterable", "esnext"],
      allowJs: true,
      esModuleInterop: true,
      module: "esnext",
      moduleResolution: "bundler",
      resolveJsonModule: true,
      isolatedModules: true,
      jsx: "react-jsx",
      types: [],
      paths: { "@/*": ["./*"] },
    },
    include: ["**/*.ts", "**/*.tsx"],
  }),
  "messenger.gen.ts": GENERATED,
  "app/page.tsx": `import { createMessengerClient } from "symphony-messenger/client";
import type { Messages } from "@/messenger.gen";
import { Jobs } from "./jobs";
import { connect } from "./supabase";

export default async function Page() {
  const { messages } = await createMessengerClient<Messages>(connect()).list({ limit: 10 });
  return <Jobs ids={messages.map(({ id }) => id)} />;
}
`,
  // A client of supabase-js is in the project above.
  "app/supabase.ts": `import type { SupabaseLike } from "symphony-messenger/client";
export declare function connect(): SupabaseLike;
`,
  "app/jobs.tsx": `"use client";
import { createMessengerClient } from "symphony-messenger/client";
import { MessengerProvider, skipToken, useMessage } from "symphony-messenger/react";
import type { Messages } from "@/messenger.gen";
import { connect } from "./supabase";

const client = createMessengerClient<Messages>(connect());

export function Jobs({ ids }: { ids: string[] }) {
  return <MessengerProvider client={client}>{ids.map((id) => <Job key={id} id={id} />)}</MessengerProvider>;
}

function Job({ id }: { id: string | undefined }) {
  const { message, connection } = useMessage(id ?? skipToken);
  return <p>{message?.status} {connection}</p>;
}
`,
};

/** The client in each of Node's module formats. */
export const NODE = {
  "messenger.gen.mts": GENERATED,
  "messenger.gen.cts": GENERATED,
  "client.mts":
    `import { createMessengerClient, isMessengerError } from "symphony-messenger/client";
import type { Messages } from "./messenger.gen.mjs";
${USE}`,
  "client.cts":
    `import { createMessengerClient, isMessengerError } from "symphony-messenger/client";
import type { Messages } from "./messenger.gen.cjs";
${USE}`,
};

/** Loads both formats, and lets each judge an error of the other. */
export const RUN_PROGRAM = `import { createRequire } from "node:module";
import { createClient } from "${SUPABASE.newest}";
import * as client from "symphony-messenger/client";
import * as react from "symphony-messenger/react";

const require = createRequire(import.meta.url);
const [required, requiredReact] = [require("symphony-messenger/client"), require("symphony-messenger/react")];
const same = (one, other) =>
  JSON.stringify(Object.keys(one).sort()) === JSON.stringify(Object.keys(other).sort());
// Node 20 has no WebSocket, without which supabase-js makes no client.
const supabase = createClient("http://127.0.0.1:9", "key", { realtime: { transport: class {} } });
const errors = [];
for (const { createMessengerClient } of [client, required]) {
  const messenger = createMessengerClient(supabase, { retries: 0 });
  errors.push(await messenger.dispatch("X", {}).catch((error) => error));
}
console.log(JSON.stringify({
  names: same(client, required),
  reactNames: same(react, requiredReact),
  codes: errors.map(({ code }) => code),
  isKnownToTheOther: [required.isMessengerError(errors[0]), client.isMessengerError(errors[1])],
}));
process.exit();
`;

/** The client in Deno. */
export const DENO = {
  "messenger.gen.ts": GENERATED,
  "client.ts": `import { createMessengerClient, isMessengerError } from "symphony-messenger/client";
import { createClient } from "@supabase/supabase-js";
import type { Messages } from "./messenger.gen.ts";
${USE}
await use(createClient("http://127.0.0.1", "key"));
`,
};
