/** Races of SQL calls on the same messages, for tests that no call becomes a deadlock's victim. */

import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import {
  handled,
  type Settlement,
} from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { eventually, type TestStack } from "./stack.ts";

/** The messages of a claim. */
export interface Lease {
  readonly token: string;
  readonly ids: readonly string[];
}

/** One call of a race. @param leases what the claims before the race hold */
export type Call = (
  sql: postgres.Sql | postgres.TransactionSql,
  leases: readonly Lease[],
) => Promise<unknown>;

/** A database of a test file's own, and connections to it that race. */
export class Racetrack {
  #database: TestDatabase | undefined;
  #connections: postgres.Sql[] = [];

  /** Registers the making and the removal of the database. @param lanes how many connections race */
  constructor(lanes: number) {
    Deno.test.beforeAll(() => this.#open(lanes));
    Deno.test.afterAll(() => this.#close());
  }

  /** Queries as the superuser, outside the race. */
  get sql(): postgres.Sql {
    if (!this.#database) throw new Error("the database exists in tests only");
    return this.#database.sql;
  }

  /** One of the connections that race. */
  lane(index: number): postgres.Sql {
    const connection = this.#connections[index];
    if (!connection) throw new RangeError(`index: there is no lane ${index}`);
    return connection;
  }

  /**
   * Registers a test that starts calls at once, each on a lane of its own, and fails if one fails.
   * @param prepare sets up the messages before each round
   */
  test(
    name: string,
    { rounds, prepare, calls }: {
      readonly rounds: number;
      readonly prepare: (sql: postgres.Sql) => Promise<readonly Lease[]>;
      readonly calls: readonly Call[];
    },
  ): void {
    this.testOnce(name, async () => {
      const errors: string[] = [];
      for (let round = 0; round < rounds; round++) {
        const leases = await prepare(this.sql);
        await Promise.all(calls.map(async (call, index) => {
          try {
            await call(this.lane(index), leases);
          } catch (error) {
            errors.push(String(error));
          }
        }));
      }
      assertEquals(errors, []);
    });
  }

  /** Registers another test on the same database. Its connections stay open between tests. */
  testOnce(name: string, fn: () => Promise<void>): void {
    Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn });
  }

  async #open(lanes: number): Promise<void> {
    const database = await createTestDatabase();
    this.#database = database;
    this.#connections = Array.from(
      { length: lanes },
      () => postgres(database.url, { max: 1, onnotice: () => {} }),
    );
    // A deadlock is found at once, and each row takes its time.
    await database.sql.unsafe(`
      do $$ begin
        execute format('alter database %I set deadlock_timeout = ''20ms''', current_database());
      end $$;
      create function public.test_slowly() returns trigger language plpgsql as $$
        begin perform pg_sleep(0.0002); return null; end $$;
      create trigger test_slowly after update or delete on public.messenger_messages
        for each row execute function public.test_slowly();`);
  }

  async #close(): Promise<void> {
    await Promise.all(this.#connections.map((sql) => sql.end()));
    await this.#database?.drop();
  }
}

/** Waits until another session of the database waits for a lock. */
export async function untilBlocked(sql: postgres.Sql): Promise<void> {
  await eventually(
    async () =>
      await sql`
        select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`,
    (waiting) => waiting.length > 0,
  );
}

/** A claim under a fresh token, for a minute. */
export const claimOf = (maxMessages: number) => ({
  token: crypto.randomUUID(),
  maxMessages,
  leaseMs: 60_000,
});

/** Claims and handles until no message is left. Returns the ids that it handled. */
export async function drain(stack: TestStack, batch: number): Promise<string[]> {
  const transport = new SupabaseTransport(stack.client);
  const seen: string[] = [];
  let settlements: Settlement[] = [];
  let lastKeys;
  for (;;) {
    const claim = await transport.settleAndClaim(settlements, {
      ...claimOf(batch),
      ...(lastKeys && { lastKeys }),
    });
    lastKeys = claim.lastKeys;
    seen.push(...claim.messages.map(({ id }) => id));
    settlements = claim.messages.map(({ id, leaseToken }) => ({
      id,
      leaseToken,
      outcome: handled,
    }));
    if (claim.messages.length === 0) return seen;
  }
}
