/** Objects whose keys are texts of users. */

/**
 * Makes an empty dictionary. In `{}` a key such as `constructor` finds a member of every object, and an
 * assignment to `__proto__` sets no key.
 */
export function dictionary<Value>(): Record<string, Value> {
  return Object.create(null);
}
