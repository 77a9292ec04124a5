/// <reference lib="dom" />
/** The page: signs in, dispatches a message and shows each of its changes. */

import { createClient } from "@supabase/supabase-js";
import { createMessengerClient, isMessengerError, message } from "../../client/mod.ts";
import type { ExportReport as Definition } from "./messages/report.ts";

const ExportReport = message<typeof Definition>("ExportReport");

const { url, publishableKey } = await (await fetch("config.json")).json();
const supabase = createClient(url, publishableKey);
const messenger = createMessengerClient(supabase);

const element = <Kind extends Element>(selector: string): Kind => {
  const found = document.querySelector<Kind>(selector);
  if (!found) throw new Error(`${selector} is missing`);
  return found;
};
const exporting = element<HTMLFormElement>("#export");

/** Does what a form is for, and shows what goes wrong. */
function onSubmit(form: HTMLFormElement, act: (fields: FormData) => Promise<void>): void {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = element("#problem");
    problem.textContent = "";
    try {
      await act(new FormData(form));
    } catch (error) {
      problem.textContent = isMessengerError(error) && error.issues.length > 0
        ? error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ")
        : String(error);
    }
  });
}

const signingIn = element<HTMLFormElement>("#sign-in");
onSubmit(signingIn, async (fields) => {
  const { error } = await supabase.auth.signInWithPassword({
    email: String(fields.get("email")),
    password: String(fields.get("password")),
  });
  if (error) throw error;
  signingIn.hidden = true;
  exporting.hidden = false;
});

onSubmit(exporting, async (fields) => {
  const job = await messenger.dispatch(ExportReport, { pages: Number(fields.get("pages")) });
  for await (const { status, attempt, progress } of job.follow()) {
    const change = document.createElement("li");
    change.textContent = [status, attempt > 0 && `attempt ${attempt}`, progress?.note]
      .filter(Boolean).join(", ");
    element("#changes").append(change);
    element<HTMLProgressElement>("progress").value = status === "handled"
      ? 1
      : progress?.value ?? 0;
  }
});
