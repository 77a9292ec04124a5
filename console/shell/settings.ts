/** How the page was put up: by the command `console`, or on a static host. config.json beside it tells. */

import { ApiProblem } from "../api/api-problem.ts";

/** Served by `npx symphony-messenger console`, which keeps the secret key and passes requests on. */
export interface LocalSettings {
  readonly mode: "local";
  readonly readOnly: boolean;
  /** The project's URL, to be shown. */
  readonly project: string;
}

/** On a static host: operators sign in. */
export interface HostedSettings {
  readonly mode: "hosted";
  readonly url: string;
  readonly publishableKey: string;
  /** The beginning of the functions' names, such as `bus-`; empty by default. */
  readonly prefix: string;
  /** Ways to sign in: `password`, `magic_link`, or the name of an OAuth provider of Supabase Auth. */
  readonly signIn: readonly string[];
}

/** One of the two. */
export type Settings = LocalSettings | HostedSettings;

/** Checks what config.json says. @throws ApiProblem that names the field which is wrong */
export function checkSettings(value: unknown): Settings {
  const given = (typeof value === "object" && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  if (given["mode"] === "local") {
    return {
      mode: "local",
      readOnly: given["readOnly"] === true,
      project: String(given["project"] ?? ""),
    };
  }
  const { url, publishableKey, prefix = "", signIn = ["password"] } = given;
  if (typeof url !== "string" || !/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw wrong("url: has to be the project's URL, such as https://<ref>.supabase.co");
  }
  if (typeof publishableKey !== "string" || publishableKey === "") {
    throw wrong("publishableKey: has to be a publishable key (sb_publishable_...)");
  }
  // A secret key there would be readable by everybody.
  if (publishableKey.startsWith("sb_secret_")) {
    throw wrong("publishableKey: is a secret key, which a page must not hold; revoke it now");
  }
  if (typeof prefix !== "string") throw wrong("prefix: has to be a text, such as bus-");
  if (!isWays(signIn)) {
    throw wrong("signIn: has to be a list of password, magic_link and names of OAuth providers");
  }
  const base = url.replace(/\/+$/, "");
  return { mode: "hosted", url: base, publishableKey, prefix: dashed(prefix), signIn };
}

function isWays(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((way) => typeof way === "string" && /^[a-z][a-z0-9_:-]{0,60}$/.test(way));
}

function dashed(prefix: string): string {
  return prefix === "" || prefix.endsWith("-") ? prefix : `${prefix}-`;
}

function wrong(message: string): ApiProblem {
  return new ApiProblem(0, "no_settings", `config.json: ${message}`);
}
