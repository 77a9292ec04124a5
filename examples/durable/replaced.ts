/** Shared by the tests of the examples: services are replaced until a test ends. */

import { HttpError } from "../../supabase/functions/_shared/symphony/index.ts";
import { type Mail, mailer } from "./messages/mail.ts";

/**
 * Puts other functions into an object until the end of the test's scope.
 *
 * ```ts
 * using _ = replace(mailer, { send: () => Promise.resolve() });
 * ```
 */
export function replace<Target extends object>(target: Target, parts: Partial<Target>): Disposable {
  const before = { ...target };
  Object.assign(target, parts);
  return { [Symbol.dispose]: () => void Object.assign(target, before) };
}

/** A mail API in memory until the end of the scope: the mails that were sent, and the errors of the next ones. */
export function mailbox(): Disposable & { readonly mails: Mail[]; readonly trouble: Error[] } {
  const mails: Mail[] = [];
  const trouble: Error[] = [];
  const replaced = replace(mailer, {
    send: (mail) => {
      const error = trouble.shift();
      if (error) return Promise.reject(error);
      mails.push(mail);
      return Promise.resolve();
    },
  });
  return { mails, trouble, [Symbol.dispose]: () => replaced[Symbol.dispose]() };
}

/** The error that a service throws which is down, retried, or which refuses, final. */
export const isDown = (): Error => new HttpError(503, { message: "is down" });
/** See {@link isDown}. */
export const refuses = (): Error => new HttpError(422, { message: "refuses" });
