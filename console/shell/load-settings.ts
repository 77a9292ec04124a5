/** Reads config.json beside the page. */

import { ApiProblem } from "../api/api-problem.ts";
import { askOtherTabs, tokenHeaders } from "./local-token.ts";
import { checkSettings, type Settings } from "./settings.ts";

const TIMEOUT_MS = 15_000;

/** Reads config.json. @throws ApiProblem that names the field which is wrong */
export async function loadSettings(): Promise<Settings> {
  let response = await askForSettings();
  if (response.status === 401 && await askOtherTabs()) response = await askForSettings();
  if (response.status === 401) {
    throw new ApiProblem(401, "no_session", "Open the address that the command console printed.");
  }
  if (!response.ok) {
    throw new ApiProblem(
      response.status,
      "no_settings",
      "There is no config.json beside the page.",
    );
  }
  return checkSettings(await response.json().catch(() => null));
}

function askForSettings(): Promise<Response> {
  return fetch("./config.json", {
    cache: "no-store",
    headers: tokenHeaders(),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}
