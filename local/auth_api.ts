// Stands in for Supabase Auth: enough of /auth/v1 for supabase-js to sign up, sign in (password or
// anonymous), refresh, read the user and sign out. Users are in auth.users; refresh tokens live as
// long as the stack.
import postgres from "postgres";
import { type Keys, userClaims } from "./keys.ts";

/** Where the users are and who signs their JWTs. */
export interface AuthOptions {
  keys: Keys;
  issuer: string;
  /** A superuser's URL. */
  databaseUrl: string;
}

/** A handler of requests to /auth/v1/*. */
export interface AuthApi {
  fetch(request: Request): Promise<Response>;
  stop(): Promise<void>;
}

interface User {
  id: string;
  email: string | null;
  is_anonymous: boolean;
  raw_app_meta_data: Record<string, unknown>;
  raw_user_meta_data: Record<string, unknown>;
  created_at: Date;
}

interface Credentials {
  email?: string;
  password?: string;
  refresh_token?: string;
  data?: Record<string, unknown>;
}

const TOKEN_LIFETIME_S = 3600;
const SHORTEST_PASSWORD = 6;
const COLUMNS = [
  "id",
  "email",
  "is_anonymous",
  "raw_app_meta_data",
  "raw_user_meta_data",
  "created_at",
];
const CORS_HEADERS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers":
    "authorization, x-client-info, apikey, content-type, x-supabase-api-version",
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
};

/** Prepares the stand-in; it connects when it is first asked. */
export function authApi(options: AuthOptions): AuthApi {
  const { keys, issuer } = options;
  const sql = postgres(options.databaseUrl, { max: 2, onnotice: () => {} });
  const refreshTokens = new Map<string, string>();

  const startSession = async (user: User): Promise<Response> => {
    const claims = userClaims({
      sub: user.id,
      isAnonymous: user.is_anonymous,
      appMetadata: user.raw_app_meta_data,
      userMetadata: user.raw_user_meta_data,
      ...(user.email === null ? {} : { email: user.email }),
    });
    const refreshToken = crypto.randomUUID();
    refreshTokens.set(refreshToken, user.id);
    return json(200, {
      access_token: await keys.sign(claims, issuer, TOKEN_LIFETIME_S),
      token_type: "bearer",
      expires_in: TOKEN_LIFETIME_S,
      expires_at: Math.floor(Date.now() / 1000) + TOKEN_LIFETIME_S,
      refresh_token: refreshToken,
      user: publicUser(user),
    });
  };

  const signUp = async ({ email, password, data = {} }: Credentials): Promise<Response> => {
    const isAnonymous = email === undefined && password === undefined;
    if (!isAnonymous && !email?.includes("@")) {
      return failure(400, "validation_failed", "email: not an address");
    }
    if (!isAnonymous && (password ?? "").length < SHORTEST_PASSWORD) {
      return failure(
        422,
        "weak_password",
        `Password should be at least ${SHORTEST_PASSWORD} characters.`,
      );
    }
    const provider = isAnonymous ? {} : { provider: "email", providers: ["email"] };
    const [user] = await sql<User[]>`
      insert into auth.users (email, encrypted_password, is_anonymous, raw_app_meta_data, raw_user_meta_data)
      values (
        lower(${email ?? null}::text), extensions.crypt(${
      password ?? null
    }::text, extensions.gen_salt('bf')),
        ${isAnonymous}, ${sql.json(provider)}, ${sql.json(data as postgres.JSONValue)}
      )
      on conflict do nothing
      returning ${sql(COLUMNS)}`;
    return user
      ? startSession(user)
      : failure(422, "user_already_exists", "User already registered");
  };

  const signIn = async (grant: string | null, body: Credentials): Promise<Response> => {
    if (grant === "password") {
      const [user] = await sql<User[]>`
        update auth.users set last_sign_in_at = now()
        where email = lower(${body.email ?? ""})
          and encrypted_password = extensions.crypt(${body.password ?? ""}, encrypted_password)
        returning ${sql(COLUMNS)}`;
      return user
        ? startSession(user)
        : failure(400, "invalid_credentials", "Invalid login credentials");
    }
    if (grant === "refresh_token") {
      const id = refreshTokens.get(body.refresh_token ?? "");
      refreshTokens.delete(body.refresh_token ?? "");
      const [user] = await sql<User[]>`select ${sql(COLUMNS)} from auth.users where id = ${
        id ?? null
      }`;
      return user
        ? startSession(user)
        : failure(400, "refresh_token_not_found", "Invalid Refresh Token");
    }
    return failure(400, "validation_failed", "grant_type: must be password or refresh_token");
  };

  const currentUser = async (request: Request): Promise<Response> => {
    const claims = await keys.verify(
      request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "",
    );
    const [user] = await sql<User[]>`
      select ${sql(COLUMNS)} from auth.users where id = ${claims?.sub ?? null}`;
    return user ? json(200, publicUser(user)) : failure(403, "bad_jwt", "invalid JWT");
  };

  return {
    async fetch(request) {
      const url = new URL(request.url);
      const route = `${request.method} ${url.pathname.slice("/auth/v1".length)}`;
      if (request.method === "OPTIONS") {
        return new Response(null, { status: 204, headers: CORS_HEADERS });
      }
      if (route === "GET /.well-known/jwks.json") return json(200, keys.jwks);
      if (route === "GET /health") {
        return json(200, { name: "GoTrue", description: "a local stand-in" });
      }
      if (
        request.headers.get("apikey") !== keys.publishableKey &&
        request.headers.get("apikey") !== keys.secretKey
      ) {
        return json(401, { message: "Invalid API key" });
      }
      if (route === "GET /user") return await currentUser(request);
      if (route === "POST /logout") {
        return new Response(null, { status: 204, headers: CORS_HEADERS });
      }
      const body: Credentials = await request.json().catch(() => ({}));
      if (route === "POST /signup") return await signUp(body);
      if (route === "POST /token") return await signIn(url.searchParams.get("grant_type"), body);
      return failure(
        404,
        "not_found",
        "the local stand-in for Supabase Auth does not serve this path",
      );
    },
    stop: () => sql.end({ timeout: 1 }),
  };
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
