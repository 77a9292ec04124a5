/** Follows the relative imports of test files, so that the runner knows which of them need Postgres. */

/** A static import or export from a file, unless it is of types only, or a dynamic import of one. */
const RELATIVE_IMPORT =
  /^(?:import|export)\b(?!\s+type\b)[^"';]*["'](\.{1,2}\/[^"']+)["']|\bimport\(\s*["'](\.{1,2}\/[^"']+)["']/gm;

/** Says which files lead to a target. */
export class ImportGraph {
  readonly #imports = new Map<string, readonly string[]>();
  readonly #read: (path: string) => string;

  /** @param read returns a file's text, or an empty one if there is no file; from the disk by default */
  constructor(read: (path: string) => string = readFile) {
    this.#read = read;
  }

  /**
   * Whether a file imports another one, directly or through others. An import of types only does not count.
   * @param file path of a TypeScript file
   * @param target path of the file to reach, relative to the same folder as `file`
   */
  leadsTo(file: string, target: string): boolean {
    const seen = new Set<string>();
    const open = [file];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === target) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...this.#importsOf(next));
    }
    return false;
  }

  #importsOf(file: string): readonly string[] {
    let imports = this.#imports.get(file);
    if (!imports) {
      imports = file.endsWith(".ts") ? relativeImports(file, this.#read(file)) : [];
      this.#imports.set(file, imports);
    }
    return imports;
  }
}

function relativeImports(file: string, text: string): string[] {
  return [...text.matchAll(RELATIVE_IMPORT)].map((match) =>
    new URL(match[1] ?? match[2] ?? "", `file:///${file}`).pathname.slice(1)
  );
}

/** An import that stands in a test's own text may name no file at all. */
function readFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
