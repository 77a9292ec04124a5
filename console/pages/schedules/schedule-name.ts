/** The name of a schedule for people. */

/** Its name, or its id if it has none. */
export function nameOf(
  { id, name }: { readonly id: string; readonly name: string | null },
): string {
  return name ?? `Schedule ${id}`;
}
