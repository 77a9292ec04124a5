/** Checks another project for `doctor` and health: whether it is reached, takes the key, and knows the types. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { OutdatedSchemaError, SchemaVersion } from "../database/schema-version.ts";
import { isInstance, listOf, readProperty } from "../runtime/inspect.ts";
import type { EngineProblem } from "./engine.ts";
import { TransportError } from "./transport.ts";

/** A project to check. */
export interface ProjectToCheck {
  readonly url: string;
  readonly key: string;
  /** The option that is not given; null if both are. */
  readonly missing: "url" | "key" | null;
  /** Begins the names of its functions. */
  readonly prefix: string;
  readonly timeoutMs: number;
  readonly connect: () => SupabaseClient;
}

/** The oldest schema that takes messages as this library sends them. */
const OLDEST_SCHEMA = "0.1.0";
const TOO_MANY_TYPES = 20;

/** Returns the problems of a project. Never throws. @param types that are routed to it */
export async function checkProject(
  project: ProjectToCheck,
  types: readonly string[],
): Promise<readonly EngineProblem[]> {
  const { missing, connect } = project;
  if (missing) {
    const advice =
      `Set the secret that gives the transport's ${missing}: supabase secrets set. Messages wait in the outbox until then.`;
    return [{ name: missing, problem: "is missing", advice }];
  }
  try {
    await new SchemaVersion(connect(), OLDEST_SCHEMA).check();
  } catch (error) {
    return [problemOf(error)];
  }
  return await unknownTypes(project, types);
}

function problemOf(error: unknown): EngineProblem {
  const problem = String(readProperty(error, "message"));
  if (isInstance(error, OutdatedSchemaError)) {
    const advice =
      "Install Symphony Messenger in that project: npx symphony-messenger init, and apply its migrations.";
    return { name: "schema", problem, advice };
  }
  const isKey = isInstance(error, TransportError) && error.fault === "refused" ||
    /\b(401|403)\b|api key|jwt/i.test(problem);
  return isKey
    ? {
      name: "key",
      problem,
      advice: "The project refuses the key. Give one of its secret keys, sb_secret_...",
    }
    : {
      name: "url",
      problem,
      advice:
        "The project cannot be reached. Check the transport's url, and whether the project is paused.",
    };
}

/** Asks the project's management API for its types. A project without it is not asked. */
async function unknownTypes(
  { url, key, prefix, timeoutMs }: ProjectToCheck,
  types: readonly string[],
): Promise<readonly EngineProblem[]> {
  const address = `${url.replace(/\/+$/, "")}/functions/v1/${prefix}messenger/types`;
  let known: unknown[];
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(address, { headers: { apikey: key }, signal });
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    known = listOf(readProperty(body, "types")).map((one) => readProperty(one, "type"));
  } catch (error) {
    const advice =
      "Its management API does not tell the types that it knows. Deploy the function messenger there, or give the transport its prefix.";
    return [{ name: "types", problem: `${address}: ${readProperty(error, "message")}`, advice }];
  }
  return types.filter((type) => !known.includes(type)).slice(0, TOO_MANY_TYPES).map((type) => ({
    name: `type ${type}`,
    problem: "is not known there",
    advice:
      "Its messages become dead letters of that project, with the reason unknown_type. Deploy a definition of the type there first.",
  }));
}
