/** Tells throttling from other refusals by the names and codes that APIs give it, whatever the status. */

import { readList, readProperty } from "../inspect.ts";
import { httpStatusesOf, isRateLimitSpent } from "./http.ts";

// In lower case, without separators.
const THROTTLING = new Set([
  // AWS: the list of its SDK (smithy, THROTTLING_ERROR_CODES), and names without "Exception"
  "bandwidthlimitexceeded",
  "ec2throttledexception",
  "limitexceededexception",
  "priorrequestnotcomplete",
  "provisionedthroughputexceeded",
  "provisionedthroughputexceededexception",
  "requestlimitexceeded",
  "requestthrottled",
  "requestthrottledexception",
  "slowdown",
  "throttled",
  "throttledexception",
  "throttling",
  "throttlingerror",
  "throttlingexception",
  "toomanyrequests",
  "toomanyrequestsexception",
  "transactioninprogressexception",
  // Google: reasons of its JSON APIs, and the status of gRPC
  "quotaexceeded",
  "ratelimitexceeded",
  "resourceexhausted",
  "userratelimitexceeded",
  // OpenAI, Anthropic, Stripe, Slack, Supabase Auth
  "locktimeout",
  "overemailsendratelimit",
  "overloadederror",
  "overrequestratelimit",
  "oversmssendratelimit",
  "ratelimit",
  "ratelimited",
  "ratelimiterror",
  "slackwebapiratelimitederror",
  "striperatelimiterror",
  "toomanyrequestserror",
]);

const KEYS = ["name", "code", "Code", "errorCode", "type", "rawType", "__type", "status", "reason"];

/** Whether the error itself, not its causes, says that too much was asked in too short a time. */
export function isThrottling(error: object): boolean {
  return bodiesOf(error).some(namesThrottling) || isAwsRetryable(error) || isGrpcBusy(error) ||
    isGitHubRateLimit(error);
}

/** The error, and the answer's body where the error holds it. */
function bodiesOf(error: object): unknown[] {
  const holders = [
    error,
    ...["error", "body", "data", "rawError"].map((key) => readProperty(error, key)),
    readProperty(readProperty(error, "response"), "data"),
  ];
  const nested = holders.map((holder) => readProperty(holder, "error"));
  const bodies = [...holders, ...nested];
  const lists = bodies.flatMap((body) => [
    ...readList(body, "errors").slice(0, 10),
    ...readList(body, "details").slice(0, 10),
  ]);
  return [...bodies, ...lists];
}

function namesThrottling(body: unknown): boolean {
  return KEYS.some((key) => {
    const value = readProperty(body, key);
    if (typeof value !== "string" || value.length > 200) return false;
    // AWS puts a namespace before the name and a URL behind it.
    const name = value.replace(/^.*#/, "").replace(/:.*$/, "");
    return THROTTLING.has(name.toLowerCase().replace(/[^a-z0-9]/g, ""));
  });
}

/** AWS's SDK marks what it would repeat itself. */
function isAwsRetryable(error: object): boolean {
  return typeof readProperty(error, "$retryable") === "object" &&
    readProperty(error, "$retryable") !== null;
}

/** gRPC: deadline exceeded, resource exhausted, aborted, unavailable. */
function isGrpcBusy(error: object): boolean {
  const code = readProperty(error, "code");
  return typeof readProperty(error, "details") === "string" &&
    typeof code === "number" && [4, 8, 10, 14].includes(code);
}

/** GitHub answers 403, with its own headers or only with words (docs.github.com, "Rate limits"). */
function isGitHubRateLimit(error: object): boolean {
  if (!httpStatusesOf(error).some((status) => status === 403 || status === 429)) return false;
  const message = readProperty(error, "message");
  return isRateLimitSpent(error) ||
    (typeof message === "string" && /rate limit|abuse detection/i.test(message.slice(0, 500)));
}
