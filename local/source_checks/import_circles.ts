/** Circles of imports: Tarjan's strongly connected components of the graph of files. */

/**
 * Finds groups of files that import each other, directly or through others.
 *
 * @param graph each file's imports; files that are no key of it are ignored
 * @returns each circle's files in alphabetical order; a file that imports itself is a circle too
 */
export function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];

  const visit = (file: string): number => {
    const own = index.size;
    index.set(file, own);
    stack.push(file);
    let low = own;
    for (const imported of graph.get(file) ?? []) {
      if (!graph.has(imported)) continue;
      if (!index.has(imported)) low = Math.min(low, visit(imported));
      else if (stack.includes(imported)) low = Math.min(low, index.get(imported) ?? low);
    }
    if (low === own) {
      const members = stack.splice(stack.indexOf(file)).sort();
      if (members.length > 1 || graph.get(file)?.includes(file)) circles.push(members);
    }
    return low;
  };
  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return circles;
}
