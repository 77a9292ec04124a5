/** Checks the options of a function that takes in webhooks, when it starts. */

import type { z } from "zod";
import { checkPlainFunction } from "../runtime/checks.ts";
import { showValue } from "../runtime/inspect.ts";
import { isOptions } from "../runtime/option-names.ts";
import type { IncomingWebhookOptions } from "./incoming-options.ts";
import { checkVerify, sourceOf } from "./incoming-scheme.ts";

/** @throws RangeError that names the wrong option */
export function checkIncoming<Schema extends z.ZodType>(
  options: IncomingWebhookOptions<Schema>,
): void {
  checkVerify(options.verify);
  sourceOf(options);
  const { payload, options: chosen } = options;
  if (payload !== undefined && typeof payload !== "function") {
    throw new RangeError(`payload: has to be a function; got ${showValue(payload)}`);
  }
  checkPlainFunction(payload, "payload");
  if (chosen !== undefined && typeof chosen !== "function" && !isOptions(chosen)) {
    throw new RangeError(
      `options: have to be an object, or a function that returns one; got ${showValue(chosen)}`,
    );
  }
  checkPlainFunction(chosen, "options");
}
