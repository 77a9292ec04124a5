/** Checks of the options of errors. A refusal keeps the error that was meant, since it takes that error's place. */

import { isInstance, readProperty, showValue } from "../runtime/inspect.ts";
import { checkIsOptions, checkNames, nearest } from "../runtime/option-names.ts";

/** Checks of single options, and how an error is made from those that are right. */
interface Rules<Options> {
  /** Every name of an option. */
  readonly names: readonly string[];
  /** The names of those that are true or false. */
  readonly flags?: readonly (keyof Options & string)[];
  /** Whether other names belong to a subclass, which passes its own options on. */
  readonly isSubclass: boolean;
  /** Makes the error that was meant, from the options that are right. */
  readonly meant: (options: Options) => Error;
}

/**
 * Checks an error's options and returns what `read` makes of them.
 * @param read reads what needs more than a check of names and flags; it throws a RangeError for a wrong value
 * @throws RangeError that names the option; its `cause` is the error that was meant
 */
export function readErrorOptions<Options extends ErrorOptions, Read>(
  options: Options,
  rules: Rules<Options>,
  read: (options: Options) => Read,
): Read {
  try {
    checkErrorNames(options, rules);
    for (const flag of rules.flags ?? []) checkFlag(options[flag], flag);
    return read(options);
  } catch (error) {
    throw new RangeError(String(readProperty(error, "message")), {
      cause: rules.meant(rightOf(options, rules)),
    });
  }
}

function checkErrorNames<Options>(options: Options, { names, isSubclass }: Rules<Options>): void {
  if (!isSubclass) return checkNames(options, names);
  checkIsOptions(options);
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    const similar = nearest(name, names);
    if (similar) throw new RangeError(`${name}: no such option; did you mean ${similar}?`);
  }
}

function checkFlag(value: unknown, name: string): void {
  if (value === undefined || typeof value === "boolean") return;
  throw new RangeError(`${name}: has to be true or false; got ${showValue(value)}`);
}

/** The cause and the flags that are right. An error in place of the options is the cause. */
function rightOf<Options extends ErrorOptions>(options: Options, rules: Rules<Options>): Options {
  const isError = isInstance(options, Error) ||
    typeof readProperty(options, "message") === "string" && !rules.names.includes("message");
  const cause = isError ? options : readProperty(options, "cause");
  const flags = (rules.flags ?? []).map((flag) => [flag, readProperty(options, flag)] as const);
  return {
    ...Object.fromEntries(flags.filter(([, value]) => typeof value === "boolean")),
    ...(cause === undefined || cause === null ? {} : { cause }),
  } as Options;
}
