/** Whether the project's files of generated types are those of its definitions. */

import { CommandError } from "../errors.ts";
import { examineGenerated } from "../types/examine.ts";
import { findGenerated } from "../types/find-generated.ts";
import { COMMAND } from "../types/generated-text.ts";
import { findDeno } from "../worker/deno.ts";
import { type Check, failed, passed } from "./check.ts";

/**
 * Checks each file; none where the project has none. Nothing is downloaded for it but packages that the definitions
 * import.
 * @param deno the program of Deno that the user names
 */
export async function checkTypes(root: string, deno: string | undefined): Promise<Check[]> {
  const files = findGenerated(root);
  if (files.length === 0) return [];
  const name = (path: string) => `generated types: ${path}`;
  try {
    const program = findDeno({ given: deno, root, fetches: false });
    const examined = await examineGenerated(files, { deno: program, root });
    return examined.map(({ file, drift, count }) =>
      drift === "" ? passed(name(file.path), `${count} up to date`) : failed(
        name(file.path),
        drift,
        "The definitions say something else.",
        COMMAND,
      )
    );
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.code === "no_deno") {
      return files.map(({ path }) => passed(name(path), `not compared: ${error.message}`));
    }
    return files.map(({ path }) => failed(name(path), "not compared", error.message, COMMAND));
  }
}
