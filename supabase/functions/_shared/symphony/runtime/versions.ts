/** Compares versions, as Semantic Versioning orders them. Pure. */

const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/**
 * Which of two versions is the later one.
 * @returns below 0 if `left` is the earlier one, above 0 if it is the later one, 0 if they are equal
 * @throws RangeError if one is no version
 */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parse(left), parse(right)];
  for (let index = 0; index < 3; index++) {
    const difference = Number(a[index]) - Number(b[index]);
    if (difference !== 0) return difference;
  }
  return comparePrereleases(a[3], b[3]);
}

function parse(version: string): readonly (string | undefined)[] {
  const parts = VERSION.exec(version);
  if (parts) return parts.slice(1);
  throw new RangeError(`version: is no version (${JSON.stringify(version)}); expected 1.2.3`);
}

/** A version without a prerelease comes after all of its prereleases. */
function comparePrereleases(left: string | undefined, right: string | undefined): number {
  if (left === right) return 0;
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  const [a, b] = [left.split("."), right.split(".")];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = compareIdentifiers(a[index], b[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Numbers come before texts, and the shorter list of identifiers first. */
function compareIdentifiers(left: string | undefined, right: string | undefined): number {
  if (left === right) return 0;
  if (left === undefined) return -1;
  if (right === undefined) return 1;
  const [isNumber, isOtherNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
  if (isNumber && isOtherNumber) return Number(left) - Number(right);
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  return left < right ? -1 : 1;
}
