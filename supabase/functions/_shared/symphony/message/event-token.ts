/**
 * Tokens that emit one event, once: links in mails carry them. A token is a text of three parts, `v1`, its content and
 * an HMAC over it; it is stored nowhere. Its holder may emit the event, so it belongs into a link's fragment, which
 * browsers send to no server.
 */

import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Duration } from "../runtime/duration.ts";
import { onFirstUse } from "../runtime/first-use.ts";

/** Options of a token. */
export interface TokenOptions {
  /** When it expires: a time from now, or a moment; at most 400 days ahead. */
  readonly expires: Duration | Date;
}

/** The content of a token: the event that it emits. */
export interface EventToken {
  /** Key of the event. */
  readonly event: string;
  /** Id of the message whose handler made it. */
  readonly messageId: string;
  /** When it expires, in ms since 1970. */
  readonly expiresAt: number;
  /** Random, and unique to this token. */
  readonly tokenId: string;
}

const VERSION = "v1";
/** Longest token that is looked at, in characters: a key has at most 255, and each may take 4 bytes. */
const LONGEST_TOKEN = 4_000;

const contentOf = onFirstUse(() =>
  z.tuple([z.string(), z.string(), z.int(), z.string().min(1).max(100)])
);

/** The key that signs: a secret key signs nothing itself, so that a signature tells nothing about it. */
function signingKey(secret: string): Buffer {
  return createHmac("sha256", secret).update("symphony-messenger event token").digest();
}

function signatureOf(signed: string, secret: string): Buffer {
  return createHmac("sha256", signingKey(secret)).update(signed).digest();
}

/**
 * Makes a token.
 * @param secret a secret key of the project
 * @returns letters, digits and `- _ .` only
 */
export function signToken(
  { event, messageId, expiresAt, tokenId }: EventToken,
  secret: string,
): string {
  const json = JSON.stringify([event, messageId, expiresAt, tokenId]);
  const signed = `${VERSION}.${Buffer.from(json).toString("base64url")}`;
  return `${signed}.${signatureOf(signed, secret).toString("base64url")}`;
}

/**
 * Reads a token, also an expired one.
 * @param secrets the secret keys of the project: one of them must have signed it
 * @returns null if it is forged, or no token
 */
export function readToken(token: string, secrets: readonly string[]): EventToken | null {
  // It may come from anywhere, as a link does.
  if (typeof token !== "string" || token.length > LONGEST_TOKEN) return null;
  const [version, body = "", signature = "", ...more] = token.split(".");
  if (version !== VERSION || more.length > 0) return null;
  const given = Buffer.from(signature, "base64url");
  const signed = `${version}.${body}`;
  // Every key is tried, so that the time tells nothing about which one has signed.
  const isSigned = secrets.map((secret) => {
    const wanted = signatureOf(signed, secret);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }).includes(true);
  if (!isSigned) return null;
  const { data } = contentOf().safeParse(JSON.parse(Buffer.from(body, "base64url").toString()));
  if (!data) return null;
  const [event, messageId, expiresAt, tokenId] = data;
  return { event, messageId, expiresAt, tokenId };
}
