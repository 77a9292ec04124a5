// The keys of the local project: API keys, the signing key of user JWTs and the database password.
// They are made once and kept, so that a client's configuration outlives a restart.
import {
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from "jose";

/** A set of public keys, as served at /auth/v1/.well-known/jwks.json. */
export interface Jwks {
  keys: JWK[];
}

/** The claims of a user's JWT. */
export interface UserJwtOptions {
  /** The user's id; default a new UUID. */
  sub?: string;
  email?: string;
  /** The Postgres role of the Data API; default `authenticated`. */
  role?: string;
  /** Default false. */
  isAnonymous?: boolean;
  appMetadata?: Record<string, unknown>;
  userMetadata?: Record<string, unknown>;
  /** Seconds until it expires, default 3600; a negative number makes an expired one. */
  expiresInS?: number;
  /** More claims, which win over those above. */
  claims?: JWTPayload;
}

/** Keys of one project. */
export interface Keys {
  readonly publishableKey: string;
  readonly secretKey: string;
  readonly databasePassword: string;
  readonly jwks: Jwks;
  /** Signs claims with the project's ES256 key. */
  sign(claims: JWTPayload, issuer: string, expiresInS: number): Promise<string>;
  /** The claims of a JWT signed by this project; undefined for any other. */
  verify(jwt: string): Promise<JWTPayload | undefined>;
}

interface StoredKeys {
  publishableKey: string;
  secretKey: string;
  databasePassword: string;
  signingKey: JWK;
}

/** Reads the keys from a file, or makes them and writes it (readable by its owner only). */
export async function loadKeys(path: string): Promise<Keys> {
  const stored = await readKeys(path) ?? await makeKeys(path);
  const { publishableKey, secretKey, databasePassword, signingKey } = stored;
  const { kty, crv, x, y, kid, alg, use } = signingKey;
  const publicJwk = { kty, crv, x, y, kid, alg, use, key_ops: ["verify"] } as JWK;
  const privateKey = await importJWK(signingKey, "ES256");
  const publicKey = await importJWK(publicJwk, "ES256");
  return {
    publishableKey,
    secretKey,
    databasePassword,
    jwks: { keys: [publicJwk] },
    sign: (claims, issuer, expiresInS) => {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ iss: issuer, iat: now, exp: now + expiresInS, ...claims })
        .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: kid ?? "" })
        .sign(privateKey);
    },
    verify: (jwt) => jwtVerify(jwt, publicKey).then(({ payload }) => payload, () => undefined),
  };
}

/** The claims of a user's JWT, as hosted Auth writes them. */
export function userClaims(options: UserJwtOptions): JWTPayload {
  const isAnonymous = options.isAnonymous ?? false;
  return {
    aud: "authenticated",
    role: options.role ?? "authenticated",
    sub: options.sub ?? crypto.randomUUID(),
    session_id: crypto.randomUUID(),
    is_anonymous: isAnonymous,
    email: options.email ?? "",
    phone: "",
    aal: "aal1",
    amr: [{
      method: isAnonymous ? "anonymous" : "password",
      timestamp: Math.floor(Date.now() / 1000),
    }],
    app_metadata: options.appMetadata ?? {},
    user_metadata: options.userMetadata ?? {},
    ...options.claims,
  };
}

async function readKeys(path: string): Promise<StoredKeys | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function makeKeys(path: string): Promise<StoredKeys> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const keys = {
    publishableKey: `sb_publishable_${randomText(30)}`,
    secretKey: `sb_secret_${randomText(30)}`,
    databasePassword: randomText(24),
    signingKey: {
      ...await exportJWK(privateKey),
      alg: "ES256",
      use: "sig",
      kid: crypto.randomUUID(),
    },
  };
  await Deno.writeTextFile(path, JSON.stringify(keys, null, 2) + "\n", { mode: 0o600 });
  return keys;
}

function randomText(length: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  let text = "";
  while (text.length < length) {
    const [byte = 255] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < 248) text += alphabet[byte % alphabet.length];
  }
  return text;
}
