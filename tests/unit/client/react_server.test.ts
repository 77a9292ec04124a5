/// <reference lib="dom" />
/** The hooks on a server, and the hydration of what it rendered. */

import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { fakeMessenger, RenderVideo } from "../../support/react.ts";
import { createElement, StrictMode, useEffect } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import {
  MessengerProvider,
  useDispatch,
  useJob,
  useMessage,
  useMessages,
} from "../../../client/react/mod.ts";
import { runProgram } from "../../support/programs.ts";

/** Shows the state of every hook. */
function Page({ onShown }: { readonly onShown?: (text: string) => void }) {
  const { isPending, error } = useDispatch(RenderVideo);
  const { message, connection } = useMessage("1");
  const { messages, isLoading } = useMessages();
  const job = useJob(RenderVideo);
  const shown = [
    ...[isPending, error?.code, message?.status, connection, messages.length, isLoading],
    ...[job.isPending, job.job?.id, job.message?.status],
  ].join();
  useEffect(() => onShown?.(shown));
  return createElement("p", null, shown);
}

const SERVED = "<p>false,,,connecting,0,true,false,,</p>";

Deno.test("a server renders the state before any answer, and asks nothing", () => {
  const { supabase, messenger } = fakeMessenger();
  const html = renderToString(
    createElement(MessengerProvider, { client: messenger }, createElement(Page)),
  );
  assertEquals(html, SERVED);
  assertEquals([supabase.names(), supabase.listeners], [[], 0]);
});

Deno.test("hydration takes over what the server rendered, and then shows what is known", async () => {
  sessionStorage.setItem("symphony-messenger", '{"user":"ada","ids":{"RenderVideo":"1"}}');
  const { messenger } = fakeMessenger();
  await messenger.dispatch("RenderVideo", {});
  const container = document.createElement("div");
  container.innerHTML = SERVED;
  // Another part of the page knows the message already.
  const known = Promise.withResolvers<void>();
  const stop = messenger.observe("1").subscribe(known.resolve);
  await deadline(known.promise, 10_000);
  const problems: unknown[] = [];
  const shown = Promise.withResolvers<void>();
  const onShown = (text: string) => {
    if (text === "false,,pending,polling,1,false,true,1,pending") shown.resolve();
  };
  const root = hydrateRoot(
    container,
    createElement(
      StrictMode,
      null,
      createElement(MessengerProvider, { client: messenger }, createElement(Page, { onShown })),
    ),
    { onRecoverableError: (error) => problems.push(error) },
  );
  await deadline(shown.promise, 10_000);
  assertEquals(problems, []);
  root.unmount();
  stop();
  sessionStorage.clear();
});

Deno.test("without a document, as on servers, the hooks are imported and rendered", async () => {
  const program = new URL("fixtures/server.ts", import.meta.url).pathname;
  const { stdout } = await runProgram(Deno.execPath(), [
    "run",
    "-A",
    "--lock=deno.dev.lock",
    program,
  ]);
  assertEquals(stdout.trim(), "<p>connecting</p>");
});
