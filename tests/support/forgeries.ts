/** Tokens that attackers would make of what they know: a good token and the project's public key. */

import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import type { UserJwtOptions } from "../../local/keys.ts";
import type { TestStack } from "./stack.ts";

/** A forged token, and its flaw. */
type Forgery = [string, string];

/**
 * Tokens that are wrong, each in one respect.
 * @param user whom they name, and with which metadata: they would be let in but for the fault
 */
export async function forgeries(
  stack: TestStack,
  user: UserJwtOptions = {},
): Promise<Forgery[]> {
  const good = await stack.mintUserJwt({ sub: crypto.randomUUID(), ...user });
  const [header = "", payload = "", signature = ""] = good.split(".");
  const claims: JWTPayload = JSON.parse(text(payload));
  const { kid = "" } = stack.jwks.keys[0] ?? {};
  return [
    ["alg none", `${base64({ alg: "none", typ: "JWT", kid })}.${payload}.`],
    ["alg None, with a signature", `${base64({ alg: "None", kid })}.${payload}.${signature}`],
    ["a tampered payload", `${header}.${base64({ ...claims, sub: "admin" })}.${signature}`],
    ["no signature", `${header}.${payload}.`],
    ["cut short", good.slice(0, -9)],
    ["no JWT at all", "hello"],
    ...await ofWrongClaims(stack, user),
    ...await ofWrongKeys(stack, claims),
  ];
}

/** Signed by the project, and not for it, or not for now. */
async function ofWrongClaims(stack: TestStack, user: UserJwtOptions): Promise<Forgery[]> {
  const mint = (claims: Record<string, unknown>) => stack.mintUserJwt({ ...user, claims });
  const inAnHour = Math.floor(Date.now() / 1000) + 3600;
  return [
    ["expired", await stack.mintUserJwt({ ...user, expiresInS: -60 })],
    ["not valid before an hour from now", await mint({ nbf: inAnHour })],
    ["another issuer", await mint({ iss: "https://other.supabase.co/auth/v1" })],
    ["another audience", await mint({ aud: "elsewhere" })],
    ["no subject", await mint({ sub: undefined })],
    ["an empty subject", await mint({ sub: "" })],
    ["a subject that is no text", await mint({ sub: { id: "ann" } })],
  ];
}

/** Signed with what is not the project's private key. */
async function ofWrongKeys(stack: TestStack, claims: JWTPayload): Promise<Forgery[]> {
  const publicJwk = stack.jwks.keys[0] ?? {};
  const { kid = "" } = publicJwk;
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("jwk", publicJwk, curve, true, ["verify"]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", key));
  const lines = btoa(String.fromCharCode(...spki)).replace(/.{64}/g, "$&\n");
  const pem = `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n`;
  const other = await generateKeyPair("ES256", { extractable: true });
  const sign = (alg: string, key: CryptoKey | Uint8Array, more: object = { kid }) =>
    new SignJWT(claims).setProtectedHeader({ alg, ...more }).sign(key);
  const bytes = (key: string) => new TextEncoder().encode(key);
  const x = Uint8Array.from(text(String(publicJwk.x)), (character) => character.charCodeAt(0));
  return [
    ["HS256 with the public key as JSON", await sign("HS256", bytes(JSON.stringify(publicJwk)))],
    ["HS256 with the public key as PEM", await sign("HS256", bytes(pem))],
    ["HS256 with the public key's bytes", await sign("HS256", x)],
    ["another project's key under our key's name", await sign("ES256", other.privateKey)],
    [
      "another project's key under its own name",
      await sign("ES256", other.privateKey, { kid: "theirs" }),
    ],
    [
      "its own key in its header",
      await sign("ES256", other.privateKey, { kid, jwk: await exportJWK(other.publicKey) }),
    ],
  ];
}

function base64(value: unknown): string {
  return btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function text(base64: string): string {
  return atob(base64.replaceAll("-", "+").replaceAll("_", "/"));
}
