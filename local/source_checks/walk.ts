/** Lists the files that the source checks read. */

const GENERATED = new Set(["dist", "node_modules"]);

/**
 * Finds files below folders, in alphabetical order. Hidden, installed and built folders are passed over.
 *
 * @param paths folders and files, relative to the working folder
 * @param extensions how a file's name must end
 */
export function walk(paths: readonly string[], extensions: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!Deno.statSync(path).isDirectory) {
      return extensions.some((extension) => path.endsWith(extension)) ? [path] : [];
    }
    const names = [...Deno.readDirSync(path)].map(({ name }) => name)
      .filter((name) => !name.startsWith(".") && !GENERATED.has(name)).sort();
    return walk(names.map((name) => path === "." ? name : `${path}/${name}`), extensions);
  });
}
