/** The subpaths that the package exports, and the files that are started: each with its source. */

/** Root of the checkout, with a trailing slash. */
export const ROOT = new URL("../", import.meta.url).pathname;

/** Source of the library, whose declarations come to stand at the top of `types/`. */
export const LIBRARY = "supabase/functions/_shared/symphony/";

/** A subpath of the package, the file's name in `lib/`, and its source. */
export interface Entry {
  readonly subpath: string;
  readonly name: string;
  readonly source: string;
  /** Whether programs in CommonJS may require it: frontends and servers in Node. */
  readonly isDual?: boolean;
}

/** Subpaths that a user imports. */
export const EXPORTS: readonly Entry[] = [
  { subpath: ".", name: "index", source: `${LIBRARY}index.ts` },
  { subpath: "./edge", name: "edge", source: `${LIBRARY}edge.ts` },
  { subpath: "./amqp", name: "amqp", source: `${LIBRARY}amqp.ts` },
  { subpath: "./testing", name: "testing", source: `${LIBRARY}testing.ts` },
  { subpath: "./client", name: "client", source: "client/mod.ts", isDual: true },
  { subpath: "./react", name: "react", source: "client/react/mod.ts", isDual: true },
];

/** The package's name, which is also that of its command. */
export const NAME = "symphony-messenger";

/** Refuses a zod that is too old, before any other file uses it. */
export const ZOD_CHECK = "zod-version";

/** Files that are run and not imported, so that they need no declarations. */
export const PROGRAMS: readonly Omit<Entry, "subpath">[] = [
  { name: "bin", source: "package/bin.ts" },
  { name: ZOD_CHECK, source: `${LIBRARY}runtime/zod-version.ts` },
];
