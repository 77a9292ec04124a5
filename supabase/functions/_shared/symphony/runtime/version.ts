/** The version of the library, and the release of the schema that it needs. `deno task release` writes both. */

/** The version of this library. */
export const VERSION = "0.2.0";

/** The oldest schema on which this library works: the release whose migration was the last to change it. */
export const SCHEMA_VERSION = "0.2.0";
