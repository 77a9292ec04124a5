// Stands in for Supabase Auth: enough of /auth/v1 for supabase-js to sign up, sign in (with a password,
// anonymously, by a link or by a provider), refresh, read the user and sign out.
import type { JWTPayload } from "jose";
import postgres from "postgres";
import { type Grant, openSessions, type Sessions, type SignOutScope } from "./auth_sessions.ts";
import { type Flows, isAllowedReturn, openFlows } from "./auth_flows.ts";
import { openUsers, type User, type Users } from "./auth_users.ts";
import { type Keys, userClaims } from "./keys.ts";

/** Where the users are and who signs their JWTs. */
export interface AuthOptions {
  keys: Keys;
  /** Issuer of the JWTs. */
  issuer: string;
  /** A superuser's URL. */
  databaseUrl: string;
}

/** A handler of requests to /auth/v1/*. */
export interface AuthApi {
  fetch(request: Request): Promise<Response>;
  stop(): Promise<void>;
}

interface Credentials {
  email?: string;
  password?: string;
  refresh_token?: string;
  auth_code?: string;
  code_verifier?: string;
  code_challenge?: string;
  create_user?: boolean;
  data?: Record<string, unknown>;
}

const TOKEN_LIFETIME_S = 3600;
const SHORTEST_PASSWORD = 6;
const CORS_HEADERS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers":
    "authorization, x-client-info, apikey, content-type, x-supabase-api-version",
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
};

const REFUSALS = {
  refresh_token_not_found: "Invalid Refresh Token: Refresh Token Not Found",
  refresh_token_already_used: "Invalid Refresh Token: Already Used",
};
const SCOPES: readonly string[] = ["global", "local", "others"] satisfies SignOutScope[];

/** Prepares the stand-in; it connects when it is first asked. */
export function authApi(options: AuthOptions): AuthApi {
  return new AuthStandIn(options, postgres(options.databaseUrl, { max: 2, onnotice: () => {} }));
}

class AuthStandIn implements AuthApi {
  readonly #users: Users;
  readonly #sessions: Sessions;
  readonly #flows: Flows;

  constructor(private readonly options: AuthOptions, private readonly sql: postgres.Sql) {
    this.#users = openUsers(sql);
    this.#sessions = openSessions(sql);
    this.#flows = openFlows(sql, this.#users);
  }

  async fetch(request: Request): Promise<Response> {
    const { keys } = this.options;
    const url = new URL(request.url);
    if (request.method === "OPTIONS") {
      return new Response(null, { status: 204, headers: CORS_HEADERS });
    }
    const route = `${request.method} ${url.pathname.slice("/auth/v1".length)}`;
    if (route === "GET /.well-known/jwks.json") return json(200, keys.jwks);
    // A browser follows these, without a key.
    if (route === "GET /verify") return await this.#followLink(url);
    if (route === "GET /authorize") return await this.#authorize(url);
    const apikey = request.headers.get("apikey");
    if (apikey !== keys.publishableKey && apikey !== keys.secretKey) {
      return json(401, { message: "Invalid API key" });
    }
    if (route === "GET /user") return await this.#currentUser(request);
    if (route === "POST /logout") return await this.#signOut(request, url);
    const body: Credentials = await request.json().catch(() => ({}));
    if (route === "POST /signup") return await this.#signUp(body);
    if (route === "POST /otp") return await this.#sendLink(url, body);
    if (route === "POST /token") {
      return await this.#signIn(url.searchParams.get("grant_type"), body);
    }
    return failure(404, "not_found", "the local stand-in for Auth does not serve this path");
  }

  stop(): Promise<void> {
    return this.sql.end({ timeout: 1 });
  }

  async #signUp({ email, password, data = {} }: Credentials): Promise<Response> {
    const isAnonymous = email === undefined && password === undefined;
    if (!isAnonymous && !email?.includes("@")) {
      return failure(400, "validation_failed", "email: must be an address");
    }
    if (!isAnonymous && (password ?? "").length < SHORTEST_PASSWORD) {
      const message = `Password should be at least ${SHORTEST_PASSWORD} characters.`;
      return failure(422, "weak_password", message);
    }
    const user = await this.#users.create({
      email: email ?? null,
      password: password ?? null,
      data,
    });
    if (user === undefined) return failure(422, "user_already_exists", "User already registered");
    return await this.#startSession(user);
  }

  async #signIn(grant: string | null, body: Credentials): Promise<Response> {
    if (grant === "password") {
      const user = await this.#users.signIn(body.email ?? "", body.password ?? "");
      if (user === undefined) {
        return failure(400, "invalid_credentials", "Invalid login credentials");
      }
      return await this.#startSession(user);
    }
    if (grant === "refresh_token") {
      return await this.#refresh(body.refresh_token ?? "");
    }
    if (grant === "pkce") {
      const user = await this.#flows.exchange(body.auth_code ?? "", body.code_verifier ?? "");
      if (user) return await this.#startSession(user);
      return failure(404, "flow_state_not_found", "invalid flow state, no valid flow state found");
    }
    return failure(400, "validation_failed", "grant_type: must be password, refresh_token or pkce");
  }

  async #sendLink(
    { searchParams }: URL,
    { email = "", create_user, code_challenge: challenge = "" }: Credentials,
  ): Promise<Response> {
    const redirectTo = searchParams.get("redirect_to");
    if (challenge === "" || !isAllowedReturn(redirectTo)) {
      return failure(
        400,
        "validation_failed",
        "needs a code_challenge, and a page of this machine",
      );
    }
    const user = await this.#users.findByEmail(email);
    if (user) await this.#flows.sendLink(user, { challenge, redirectTo });
    else if (create_user === false) {
      return failure(422, "otp_disabled", "Signups not allowed for otp");
    } else return failure(400, "validation_failed", "the stand-in sends links to its users only");
    return json(200, {});
  }

  async #followLink({ searchParams }: URL): Promise<Response> {
    const target = await this.#flows.followLink(searchParams.get("token") ?? "");
    if (target) return leadTo(target);
    const redirectTo = searchParams.get("redirect_to");
    if (!isAllowedReturn(redirectTo)) return failure(403, "otp_expired", "Email link is invalid");
    const address = new URL(redirectTo);
    address.searchParams.set("error_code", "otp_expired");
    address.searchParams.set("error_description", "Email link is invalid or has expired");
    return leadTo(address.href);
  }

  async #authorize({ searchParams }: URL): Promise<Response> {
    const redirectTo = searchParams.get("redirect_to");
    const challenge = searchParams.get("code_challenge") ?? "";
    const provider = searchParams.get("provider") ?? "";
    if (challenge === "" || !/^[a-z0-9_]{1,40}$/.test(provider) || !isAllowedReturn(redirectTo)) {
      return failure(400, "validation_failed", "Unsupported provider: provider is not enabled");
    }
    return leadTo(await this.#flows.authorize(provider, { challenge, redirectTo }));
  }

  async #currentUser(request: Request): Promise<Response> {
    const user = await this.#users.find((await this.#claims(request))?.sub);
    return user === undefined
      ? failure(403, "bad_jwt", "invalid JWT")
      : json(200, publicUser(user));
  }

  async #signOut(request: Request, { searchParams }: URL): Promise<Response> {
    const scope = searchParams.get("scope") ?? "global";
    if (!SCOPES.includes(scope)) {
      return failure(400, "validation_failed", `Unsupported logout scope "${scope}"`);
    }
    const { sub, session_id } = await this.#claims(request) ?? {};
    if (sub === undefined) return failure(403, "bad_jwt", "invalid JWT");
    await this.#sessions.end(sub, String(session_id), scope as SignOutScope);
    return new Response(null, { status: 204, headers: CORS_HEADERS });
  }

  /** The claims of the user's JWT; undefined where it is none of this project's. */
  #claims(request: Request): Promise<JWTPayload | undefined> {
    const token = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    return this.options.keys.verify(token);
  }

  async #startSession(user: User): Promise<Response> {
    return await this.#answer(user, await this.#sessions.begin(user.id));
  }

  async #refresh(token: string): Promise<Response> {
    const grant = await this.#sessions.refresh(token);
    if (typeof grant === "string") return failure(400, grant, REFUSALS[grant]);
    const user = await this.#users.find(grant.userId);
    if (user === undefined) return failure(400, "user_not_found", "User not found");
    return await this.#answer(user, grant);
  }

  async #answer(user: User, { token, sessionId }: Grant): Promise<Response> {
    const claims = userClaims({
      sub: user.id,
      isAnonymous: user.is_anonymous,
      appMetadata: user.raw_app_meta_data,
      userMetadata: user.raw_user_meta_data,
      ...(user.email === null ? {} : { email: user.email }),
      claims: { session_id: sessionId },
    });
    return json(200, {
      access_token: await this.options.keys.sign(claims, this.options.issuer, TOKEN_LIFETIME_S),
      token_type: "bearer",
      expires_in: TOKEN_LIFETIME_S,
      expires_at: Math.floor(Date.now() / 1000) + TOKEN_LIFETIME_S,
      refresh_token: token,
      user: publicUser(user),
    });
  }
}

function publicUser(user: User): Record<string, unknown> {
  return {
    id: user.id,
    aud: "authenticated",
    role: "authenticated",
    email: user.email ?? "",
    is_anonymous: user.is_anonymous,
    app_metadata: user.raw_app_meta_data,
    user_metadata: user.raw_user_meta_data,
    identities: [],
    created_at: user.created_at,
    updated_at: user.created_at,
  };
}

function leadTo(location: string): Response {
  return new Response(null, { status: 303, headers: { ...CORS_HEADERS, location } });
}

function failure(code: number, error_code: string, msg: string): Response {
  return json(code, { code, error_code, msg });
}

function json(status: number, body: unknown): Response {
  return Response.json(body, { status, headers: CORS_HEADERS });
}
