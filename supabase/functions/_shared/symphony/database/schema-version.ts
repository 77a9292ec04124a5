/**
 * Whether the schema is new enough for this library. The order of a deploy is SQL first: functions of the
 * version before keep working on a newer schema. The other way round a worker would call what is not there.
 */

import type { SupabaseClient } from "@supabase/supabase-js";
import { SCHEMA_VERSION } from "../runtime/version.ts";
import { compareVersions } from "../runtime/versions.ts";
import { TransportError } from "../transport/transport.ts";
import { readProperty } from "../runtime/inspect.ts";
import { callRpc } from "./rpc.ts";

const TIMEOUT_MS = 10_000;
/** PostgREST knows no such function, or none with these arguments. */
const NO_SUCH_FUNCTION = "PGRST202";

/** The schema is older than this library needs; nothing was done. */
export class OutdatedSchemaError extends Error {
  override readonly name = "OutdatedSchemaError";

  /**
   * @param needed the oldest version of the schema that will do
   * @param found the schema's version; null if it has none
   */
  constructor(readonly needed: string, readonly found: string | null, options?: ErrorOptions) {
    super(
      `The database's schema is ${
        found === null ? "not there" : `version ${found}`
      }, and this version of ` +
        `Symphony Messenger needs ${needed}. Apply its migrations before the functions are deployed: ` +
        "supabase db push",
      options,
    );
  }
}

/** Knows whether the schema will do, once it was asked. One belongs to each messenger. */
export class SchemaVersion {
  #isEnough = false;

  /**
   * @param client made with a secret key
   * @param needed the oldest version that will do
   */
  constructor(
    private readonly client: SupabaseClient,
    private readonly needed: string = SCHEMA_VERSION,
  ) {}

  /**
   * Judges a version that came with another answer.
   * @throws OutdatedSchemaError if it will not do
   */
  judge(found: string): void {
    if (compareVersions(found, this.needed) < 0) throw new OutdatedSchemaError(this.needed, found);
    this.#isEnough = true;
  }

  /**
   * Asks for the version, until it is known that it will do: schemas only become newer.
   * @throws OutdatedSchemaError if it will not do
   * @throws TransportError if the database cannot be reached
   */
  async check(): Promise<void> {
    if (!this.#isEnough) this.judge(await this.#ask());
  }

  /**
   * Explains a call's failure. A function that is not there, or takes other arguments, may be of a later schema.
   * @returns OutdatedSchemaError if the schema is too old, otherwise the error itself
   */
  async explain(error: unknown): Promise<unknown> {
    if (!isUnknownFunction(error)) return error;
    // Asked again: a database may have been restored from before an upgrade.
    return await this.#ask().then((found) => this.judge(found)).then(() => error, (told) => told);
  }

  async #ask(): Promise<string> {
    try {
      return await callRpc<string>(this.client, "messenger_version", {}, TIMEOUT_MS);
    } catch (error) {
      if (isUnknownFunction(error)) {
        throw new OutdatedSchemaError(this.needed, null, { cause: error });
      }
      throw error;
    }
  }
}

function isUnknownFunction(error: unknown): boolean {
  return error instanceof TransportError &&
    readProperty(error.cause, "code") === NO_SUCH_FUNCTION;
}
