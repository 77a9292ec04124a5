/** Names of lanes: `reports/a%2Fb` is the lane `a/b` of the queue `reports`. Pure. */

/** The lane that a queue's name means; null: it is a queue. */
export function laneOf(name: string): { readonly queue: string; readonly lane: string } | null {
  const slash = name.indexOf("/");
  if (slash < 0) return null;
  return { queue: name.slice(0, slash), lane: decode(name.slice(slash + 1)) };
}

/** A lane's text may be no UTF-8 at all: then it stays as it is written. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
