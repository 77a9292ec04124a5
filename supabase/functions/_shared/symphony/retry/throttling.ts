/** Tells throttling from other refusals by the names and codes of known APIs, whatever the status. */

import { readProperty } from "../runtime/inspect.ts";
import { bodiesOf } from "./bodies.ts";
import { httpStatusesOf } from "./http.ts";
import { isRateLimitSpent } from "./rate-limit-headers.ts";

// Names in lower case, without separators.
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
  "throttleexceeded",
  "toomanyrequests",
  "toomanyrequestsexception",
  "transactioninprogressexception",
  // AWS: another write of the same item, or of the same bucket's settings, is under way
  "operationaborted",
  "transactionconflict",
  "transactionconflictexception",
  // AWS, TRANSIENT_ERROR_CODES: S3 answers 400 with it to a slow client
  "requesttimeout",
  "requesttimeoutexception",
  // Google: reasons of its JSON APIs, and gRPC's status
  "concurrentlimitexceeded",
  "dailylimitexceeded",
  "dailylimitexceededunreg",
  "quotaexceeded",
  "ratelimitexceeded",
  "ratelimitexceededunreg",
  "resourceexhausted",
  "servinglimitexceeded",
  "sharingratelimitexceeded",
  "uploadratelimitexceeded",
  "userratelimitexceeded",
  "userratelimitexceededunreg",
  // Firebase, whose codes are auth/... and messaging/...
  "devicemessagerateexceeded",
  "messagerateexceeded",
  "topicsmessagerateexceeded",
  // OpenAI, Anthropic, Stripe, Slack, Supabase Auth
  "idempotencykeyinuse",
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

const KEYS = [
  ...["name", "code", "Code", "errorCode", "type", "rawType", "__type", "status", "reason"],
  // Slack's body is { ok: false, error: "ratelimited" }.
  "error",
];

/** Tells whether the error itself, not its causes, is a refusal of too many requests. */
export function isThrottling(error: object): boolean {
  return bodiesOf(error).some(namesThrottling) || isAwsRetryable(error) || isGrpcBusy(error) ||
    isWordedLimit(error);
}

function namesThrottling(body: object): boolean {
  return KEYS.some((key) => {
    const value = readProperty(body, key);
    if (typeof value !== "string" || value.length > 200) return false;
    // AWS puts a namespace before the name and a URL behind it; Firebase puts the service before it.
    const name = value.replace(/^.*#/, "").replace(/:.*$/, "").replace(/^[a-z]+\//, "");
    return THROTTLING.has(name.toLowerCase().replace(/[^a-z0-9]/g, ""));
  });
}

/** AWS's SDK marks errors that it would retry itself. */
function isAwsRetryable(error: object): boolean {
  return typeof readProperty(error, "$retryable") === "object" &&
    readProperty(error, "$retryable") !== null;
}

/** gRPC: deadline exceeded, resource exhausted, aborted, unavailable. */
function isGrpcBusy(error: object): boolean {
  const code = readProperty(error, "code");
  if (typeof code !== "number" || ![4, 8, 10, 14].includes(code)) return false;
  const message = readProperty(error, "message");
  return typeof readProperty(error, "details") === "string" ||
    (typeof message === "string" && message.startsWith(`${code} `));
}

/** Where the words of a refusal stand, or the whole body if it is plain text. */
const TEXT_KEYS = ["message", "error", "detail", "description", "data", "body", "responseBody"];

/** GitHub and AWS may send a limit as text alone, with a 403 or 400 (docs.github.com, "Rate limits"). */
function isWordedLimit(error: object): boolean {
  const statuses = httpStatusesOf(error);
  // The text stands in the answer's body: clients such as axios have a message of their own.
  const text = bodiesOf(error).flatMap((body) => TEXT_KEYS.map((key) => readProperty(body, key)))
    .filter((message) => typeof message === "string")
    .map((message) => message.slice(0, 500)).join("\n");
  if (statuses.some((status) => status === 403 || status === 429)) {
    return isRateLimitSpent(error) || /rate limit|abuse detection/i.test(text);
  }
  return statuses.includes(400) && /\brate exceeded\b|\btoo many requests\b/i.test(text);
}
