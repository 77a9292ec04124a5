// Stands in for Supabase Auth: enough of /auth/v1 for supabase-js to sign up, sign in (with a password
// or anonymously), refresh, read the user and sign out. Refresh tokens live as long as the stack.
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

/** Prepares the stand-in. */
export function authApi(options: AuthOptions): AuthApi {
  return new AuthStandIn(options, openUsers(options.databaseUrl));
}

class AuthStandIn implements AuthApi {
  /** Ids of users by their refresh tokens. */
  #refreshTokens = new Map<string, string>();

  constructor(private readonly options: AuthOptions, private readonly users: Users) {}

  async fetch(request: Request): Promise<Response> {
    const { keys } = this.options;
    const url = new URL(request.url);
    if (request.method === "OPTIONS") {
      return new Response(null, { status: 204, headers: CORS_HEADERS });
    }
    const route = `${request.method} ${url.pathname.slice("/auth/v1".length)}`;
    if (route === "GET /.well-known/jwks.json") return json(200, keys.jwks);
    const apikey = request.headers.get("apikey");
    if (apikey !== keys.publishableKey && apikey !== keys.secretKey) {
      return json(401, { message: "Invalid API key" });
    }
    if (route === "GET /user") return await this.#currentUser(request);
    if (route === "POST /logout") return new Response(null, { status: 204, headers: CORS_HEADERS });
    const body: Credentials = await request.json().catch(() => ({}));
    if (route === "POST /signup") return await this.#signUp(body);
    if (route === "POST /token") {
      return await this.#signIn(url.searchParams.get("grant_type"), body);
    }
    return failure(404, "not_found", "the local stand-in for Auth does not serve this path");
  }

  stop(): Promise<void> {
    return this.users.close();
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
    const user = await this.users.create({
      email: email ?? null,
      password: password ?? null,
      data,
    });
    if (user === undefined) return failure(422, "user_already_exists", "User already registered");
    return await this.#startSession(user);
  }

  async #signIn(grant: string | null, body: Credentials): Promise<Response> {
    if (grant === "password") {
      const user = await this.users.signIn(body.email ?? "", body.password ?? "");
      if (user === undefined) {
        return failure(400, "invalid_credentials", "Invalid login credentials");
      }
      return await this.#startSession(user);
    }
    if (grant === "refresh_token") {
      const token = body.refresh_token ?? "";
      const user = await this.users.find(this.#refreshTokens.get(token));
      this.#refreshTokens.delete(token);
      if (user === undefined) {
        return failure(400, "refresh_token_not_found", "Invalid Refresh Token");
      }
      return await this.#startSession(user);
    }
    return failure(400, "validation_failed", "grant_type: must be password or refresh_token");
  }

  async #currentUser(request: Request): Promise<Response> {
    const token = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    const user = await this.users.find((await this.options.keys.verify(token))?.sub);
    return user === undefined
      ? failure(403, "bad_jwt", "invalid JWT")
      : json(200, publicUser(user));
  }

  async #startSession(user: User): Promise<Response> {
    const claims = userClaims({
      sub: user.id,
      isAnonymous: user.is_anonymous,
      appMetadata: user.raw_app_meta_data,
      userMetadata: user.raw_user_meta_data,
      ...(user.email === null ? {} : { email: user.email }),
    });
    const refreshToken = crypto.randomUUID();
    this.#refreshTokens.set(refreshToken, user.id);
    return json(200, {
      access_token: await this.options.keys.sign(claims, this.options.issuer, TOKEN_LIFETIME_S),
      token_type: "bearer",
      expires_in: TOKEN_LIFETIME_S,
      expires_at: Math.floor(Date.now() / 1000) + TOKEN_LIFETIME_S,
      refresh_token: refreshToken,
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

function failure(code: number, error_code: string, msg: string): Response {
  return json(code, { code, error_code, msg });
}

function json(status: number, body: unknown): Response {
  return Response.json(body, { status, headers: CORS_HEADERS });
}
