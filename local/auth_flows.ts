// Sign-ins of the stand-in for Supabase Auth that lead back to a page with a code (PKCE): by a link in a mail, and by
// an OAuth provider. Mails are not sent: the link's token is in auth.one_time_tokens, as the mail would have it.
import postgres from "postgres";
import { type User, type Users } from "./auth_users.ts";

/** How long a link or a code may be used, in s (Auth's default for codes is 5 minutes). */
const LIFETIME_S = 300;

/** A request that begins a sign-in. */
export interface FlowRequest {
  readonly challenge: string;
  readonly redirectTo: string;
}

/** The stored flows. */
export interface Flows {
  /** Writes the token of a link for a user. */
  sendLink(user: User, request: FlowRequest): Promise<void>;
  /** The address to which the link with this token leads; undefined: it was used, or is none. */
  followLink(token: string): Promise<string | undefined>;
  /** The address to which a provider leads back, as a user of that provider, who is made if need be. */
  authorize(provider: string, request: FlowRequest): Promise<string>;
  /** The user of a code, which is used up; undefined: it was used, is none, or was asked for by another page. */
  exchange(code: string, verifier: string): Promise<User | undefined>;
}

/** Whether a page may be led back to: Auth has a list, the stand-in allows this machine. */
export function isAllowedReturn(address: string | null): address is string {
  if (address === null || !URL.canParse(address)) return false;
  return ["127.0.0.1", "localhost"].includes(new URL(address).hostname);
}

/** Opens the flows of a database over a superuser's connections. */
export function openFlows(sql: postgres.Sql, users: Users): Flows {
  const begin = async (userId: string, { challenge, redirectTo }: FlowRequest) => {
    const code = crypto.randomUUID();
    await sql`
      insert into auth.flow_state (user_id, auth_code, code_challenge, referrer)
      values (${userId}, ${code}, ${challenge}, ${redirectTo})`;
    return code;
  };
  const back = (redirectTo: string, code: string) => {
    const address = new URL(redirectTo);
    address.searchParams.set("code", code);
    return address.href;
  };
  return {
    async sendLink(user, request) {
      const code = await begin(user.id, request);
      await sql`
        insert into auth.one_time_tokens (user_id, token_hash, auth_code)
        values (${user.id}, ${`pkce_${crypto.randomUUID()}`}, ${code})`;
    },
    async followLink(token) {
      const [found] = await sql<{ auth_code: string; referrer: string }[]>`
        delete from auth.one_time_tokens t using auth.flow_state f
        where t.token_hash = ${token} and f.auth_code = t.auth_code
          and t.created_at > now() - ${LIFETIME_S} * interval '1 second'
        returning f.auth_code, f.referrer`;
      return found && back(found.referrer, found.auth_code);
    },
    async authorize(provider, request) {
      const email = `${provider}@example.org`;
      await users.create({ email, password: null, data: { provider } });
      const user = await users.findByEmail(email);
      return back(request.redirectTo, await begin(user?.id ?? "", request));
    },
    async exchange(code, verifier) {
      const challenge = await challengeOf(verifier);
      const [found] = await sql<{ user_id: string }[]>`
        delete from auth.flow_state where auth_code = ${code} and code_challenge = ${challenge}
          and created_at > now() - ${LIFETIME_S} * interval '1 second'
        returning user_id`;
      return await users.find(found?.user_id);
    },
  };
}

/** The challenge of a verifier by the method S256 (RFC 7636, section 4.2). */
async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
