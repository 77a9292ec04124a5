/** Mistakes of the hooks' callers that the compiler refuses. If it accepts one, the marked line is an error. */

import { message, type MessengerClient } from "../../../client/mod.ts";
import {
  messageQueryOptions,
  MessengerProvider,
  useDispatch,
  useJob,
  useMessage,
  useMessages,
  useMessenger,
} from "../../../client/react/mod.ts";
import { runProgram } from "../../support/programs.ts";
import type {
  Kept as KeptDefinition,
  Measured as MeasuredDefinition,
} from "../../support/messages/mod.ts";

interface Messages {
  RenderVideo: { payload: { video: string; size?: number }; result: { url: string } };
  SendInvoice: { payload: { invoice: number }; result: unknown };
}

const Kept = message<typeof KeptDefinition>("Kept");

// The compiler reads these functions; no test calls them.
export const _byDefinition = () => {
  const { dispatch } = useDispatch(Kept);
  dispatch({ fails: true });
  // @ts-expect-error there is no such field
  dispatch({ video: "x" });
  const job = useJob(Kept, { storageKey: "a" });
  job.dispatch({}, { delay: "5m" });
  // @ts-expect-error it is no duration
  job.dispatch({}, { delay: "5 minutes" });
  // @ts-expect-error there is no such option
  useJob(Kept, { storage: "a" });
};

export const _results = () => {
  useJob(message<typeof MeasuredDefinition>("Measured")).message?.result?.text satisfies
    | string
    | undefined;
  // @ts-expect-error it has no such field
  useJob(message<typeof MeasuredDefinition>("Measured")).message?.result?.texts;
};

export const _ids = () => {
  useMessage("1").message?.progress?.value satisfies number | undefined;
  useMessage({ kind: "message", id: "1" });
  // @ts-expect-error a schedule is no message
  useMessage({ kind: "schedule", id: "1" });
  // @ts-expect-error an id is a text
  useMessage(1);
  // @ts-expect-error there is no such status
  useMessages({ status: "done" });
};

export const _clients = (client: MessengerClient<Messages>) => {
  MessengerProvider({ client });
  messageQueryOptions(client, "1");
  const messenger = useMessenger<Messages>();
  messenger.dispatch("RenderVideo", { video: "x" });
  // @ts-expect-error it is another message's payload
  messenger.dispatch("RenderVideo", { invoice: 1 });
};

/** Takes the file out of the program that holds this test: what it registers holds for all of a program. */
Deno.test("registered messages give each hook its names and payloads", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const text = await Deno.readTextFile(new URL("fixtures/registered.ts.txt", import.meta.url));
    const hooks = new URL("../../../client/react/mod.ts", import.meta.url).href;
    await Deno.writeTextFile(
      `${folder}/page.ts`,
      text.replaceAll('"symphony-messenger/react"', `"${hooks}"`),
    );
    const args = ["check", "--config=deno.json", "--lock=deno.dev.lock", `${folder}/page.ts`];
    await runProgram(Deno.execPath(), args);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
