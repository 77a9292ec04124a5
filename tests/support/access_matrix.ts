/** The permission matrix: as SECURITY.md's table says it, and as the stack enforces it. */

import { asStranger, asUser } from "./frontend.ts";
import type { TestStack } from "./stack.ts";

/** The result for a caller: `yes`, or the status of the refusal. */
export type Verdict = "yes" | "401" | "403" | "404";

/** SECURITY.md's table: by row, by caller. */
export type Matrix = ReadonlyMap<string, ReadonlyMap<string, Verdict>>;

const HEADING = "## Permissions";

/** Reads the table. @throws Error where it is not there, or a cell holds something else */
export async function readMatrix(): Promise<Matrix> {
  const text = await Deno.readTextFile(new URL("../../SECURITY.md", import.meta.url));
  const section = text.slice(text.indexOf(HEADING)).split("\n## ")[0] ?? "";
  const [head = [], , ...rows] = section.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  if (rows.length === 0) throw new Error(`SECURITY.md has no table below "${HEADING}"`);
  return new Map(rows.map(([name = "", ...cells]) => [
    name,
    new Map(cells.map((cell, index) => [head[index + 1] ?? "", verdict(cell)])),
  ]));
}

function verdict(cell: string): Verdict {
  if (cell === "yes" || cell === "401" || cell === "403" || cell === "404") return cell;
  throw new Error(`SECURITY.md: "${cell}" is none of yes, 401, 403, 404`);
}

/** Roles of the operators in these tests, as the functions' environment names them. */
export const ROLES = { SYMPHONY_ADMIN_ROLES: "admin", SYMPHONY_READ_ONLY_ROLES: "support" };

/** A caller: the column of SECURITY.md that is theirs, and their headers. */
export interface MatrixCaller {
  readonly name: string;
  readonly column: string;
  readonly headers: Record<string, string>;
}

/** One caller of each kind, and of the refused ones several. */
export async function matrixCallers(stack: TestStack): Promise<MatrixCaller[]> {
  const wrong = "sb_secret_wrongwrongwrongwrongwrongwr";
  const caller = (name: string, column: string, headers: Record<string, string>) => ({
    name,
    column,
    headers,
  });
  return [
    caller("no key", "no key, wrong key", {}),
    caller("wrong key", "no key, wrong key", { apikey: wrong }),
    caller("wrong key as a token", "no key, wrong key", { authorization: `Bearer ${wrong}` }),
    caller("publishable key", "publishable key", asStranger(stack)),
    caller("anonymous user", "anonymous user", await asUser(stack, { isAnonymous: true })),
    caller("user A", "user", await asUser(stack)),
    caller("user B", "another user", await asUser(stack)),
    caller(
      "read-only admin",
      "read-only admin",
      await asUser(stack, { appMetadata: { role: "support" } }),
    ),
    caller("admin", "admin", await asUser(stack, { appMetadata: { role: "admin" } })),
    caller("secret key", "secret key", { apikey: stack.secretKey }),
  ];
}
