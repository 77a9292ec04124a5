/** Whether the three functions are deployed, in which versions, and whether the gateway lets requests without a JWT through. */

import { type Check, deploying, failed, passed } from "./check.ts";
import { VERSION } from "../version.ts";
import type { Target } from "./target.ts";

const FUNCTIONS = ["dispatch", "tick", "messenger"];
const TIMEOUT_MS = 15_000;

/** Codes that our functions give to a GET without credentials; a gateway has its own. */
const OUR_CODES = new Set(["unauthorized", "method_not_allowed", "not_found", "misconfigured"]);

/** Asks each function without credentials: its own refusal differs from the gateway's. */
export async function checkFunctions(target: Target): Promise<Check[]> {
  return await Promise.all(
    FUNCTIONS.map((name) => checkFunction(target, `${target.prefix}${name}`)),
  );
}

async function checkFunction({ url }: Target, name: string): Promise<Check> {
  const label = `function ${name}`;
  const address = `${url.replace(/\/+$/, "")}/functions/v1/${name}`;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await response.json().catch(() => null);
    const { code } = (body ?? {}) as { code?: unknown };
    if (typeof code === "string" && OUR_CODES.has(code)) {
      return judgeVersion(label, name, response.headers.get("symphony-version"));
    }
    return judgeForeign(label, name, response.status);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return failed(label, reason, `${address} cannot be reached. See SUPABASE_URL.`);
  }
}

function judgeVersion(label: string, name: string, version: string | null): Check {
  if (version === VERSION) return passed(label, `deployed, ${version}`);
  return failed(
    label,
    `deployed, ${version ?? "without a version"}`,
    `The function's library is ${
      version ?? "unknown"
    }, and this command is ${VERSION}. Deploy the three functions together, or use the command of their version.`,
    deploying(name),
  );
}

function judgeForeign(label: string, name: string, status: number): Check {
  if (status === 401) {
    return failed(
      label,
      "HTTP 401 from the gateway",
      `The gateway asks for a JWT. Set verify_jwt = false under [functions.${name}] in supabase/config.toml, and deploy it.`,
      deploying(name),
    );
  }
  if (status === 404) {
    return failed(label, "not deployed", "The function is not there.", deploying(name));
  }
  return failed(
    label,
    `HTTP ${status}`,
    `The function does not start, or is not Symphony Messenger's: npx supabase logs --remote shows why.`,
    deploying(name),
  );
}
