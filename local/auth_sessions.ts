// The sessions of the stand-in for Supabase Auth and their refresh tokens, which outlive the stack. They are
// renewed and refused as Auth does with its default settings.
import postgres from "postgres";

/** A refresh token and the session that it belongs to. */
export interface Grant {
  token: string;
  sessionId: string;
  userId: string;
}

/** Why a refresh token is refused; codes of Auth. */
export type Refusal = "refresh_token_not_found" | "refresh_token_already_used";

/** Which of a user's sessions a sign-out ends: all, the one that asks, or all but that one. */
export type SignOutScope = "global" | "local" | "others";

/** The stored sessions. */
export interface Sessions {
  /** Begins a session of a user. */
  begin(userId: string): Promise<Grant>;
  /** Swaps a refresh token for the next one of its session. */
  refresh(token: string): Promise<Grant | Refusal>;
  /** Ends sessions of a user, with their refresh tokens. */
  end(userId: string, sessionId: string, scope: SignOutScope): Promise<void>;
}

/** How long a token may be used again after its use, e.g. by two tabs at a time (Auth's default). */
const REUSE_INTERVAL_S = 10;

interface StoredToken {
  token: string;
  session_id: string;
  user_id: string;
  revoked: boolean;
  is_reusable: boolean;
}

/** Opens the sessions of a database over a superuser's connections. */
export function openSessions(sql: postgres.Sql): Sessions {
  return {
    begin: (userId) =>
      sql.begin(async (transaction) => {
        const [session] = await transaction<{ id: string }[]>`
          insert into auth.sessions (user_id) values (${userId}) returning id`;
        return await insertToken(transaction, { userId, sessionId: session?.id ?? "" }, null);
      }),
    refresh: (token) => sql.begin((transaction) => refresh(transaction, token)),
    async end(userId, sessionId, scope) {
      await sql`
        delete from auth.sessions
        where user_id = ${userId}
          and case ${scope}::text
            when 'local' then id::text = ${sessionId}
            when 'others' then id::text <> ${sessionId}
            else true
          end`;
    },
  };
}

async function refresh(sql: postgres.TransactionSql, token: string): Promise<Grant | Refusal> {
  // Two requests with one token come one after the other: the second one sees what the first one did.
  const [found] = await sql<StoredToken[]>`
    select t.token, t.session_id, t.user_id, t.revoked,
      t.updated_at + ${REUSE_INTERVAL_S} * interval '1 second' > clock_timestamp() as is_reusable
    from auth.refresh_tokens t join auth.sessions s on s.id = t.session_id
    where t.token = ${token}
    for update`;
  if (found === undefined) return "refresh_token_not_found";
  const grant = { sessionId: found.session_id, userId: found.user_id };
  if (found.revoked) {
    const [active] = await sql<{ token: string; parent: string | null }[]>`
      select token, parent from auth.refresh_tokens
      where session_id = ${found.session_id} and not revoked order by id desc limit 1`;
    // The client has not stored the answer to its last refresh: it gets the same one again.
    if (active?.parent === token) return { ...grant, token: active.token };
    if (!found.is_reusable) {
      // Perhaps the token was stolen: from here on neither its owner nor the thief has a session.
      await sql`
        update auth.refresh_tokens set revoked = true, updated_at = now()
        where session_id = ${found.session_id} and not revoked`;
      return "refresh_token_already_used";
    }
  }
  await sql`
    update auth.refresh_tokens set revoked = true, updated_at = now() where token = ${token}`;
  await sql`update auth.sessions set refreshed_at = now() where id = ${found.session_id}`;
  return await insertToken(sql, grant, token);
}

async function insertToken(
  sql: postgres.TransactionSql,
  { userId, sessionId }: Omit<Grant, "token">,
  parent: string | null,
): Promise<Grant> {
  const token = crypto.randomUUID();
  await sql`
    insert into auth.refresh_tokens (token, user_id, session_id, parent)
    values (${token}, ${userId}, ${sessionId}, ${parent})`;
  return { token, sessionId, userId };
}
