/** Runs pgTAP tests: installs pgTAP from npm into a database, and reads what a test file reports. */

// For its effect only: the import has Deno install the package, whose archive is what is wanted.
import "@electric-sql/pglite-pgtap";
import postgres from "postgres";

const ARCHIVE = new URL("pgtap.tar.gz", import.meta.resolve("@electric-sql/pglite-pgtap"));
const SCRIPT = /\/pgtap--[\d.]+\.sql$/;
const TAR_BLOCK = 512;
const LONGEST_LINE = 300;

/**
 * Installs pgTAP into schema `extensions`, as plain SQL, unless the database has it.
 * @param sql a connection that may create functions there
 */
export async function installPgTap(sql: postgres.Sql): Promise<void> {
  const [found] = await sql`select to_regprocedure('extensions.plan(integer)') as plan`;
  if (found?.plan) return;
  const script = readFromTar(await gunzip(ARCHIVE), SCRIPT);
  await sql.unsafe(
    `set search_path = extensions; set check_function_bodies = off; ${script}; reset all`,
  ).simple();
}

async function gunzip(file: URL): Promise<Uint8Array> {
  const packed = new Blob([await Deno.readFile(file)]).stream();
  return await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).bytes();
}

/** The text of the first file of a tar archive whose name matches. */
function readFromTar(archive: Uint8Array, wanted: RegExp): string {
  const text = (from: number, length: number) =>
    new TextDecoder().decode(archive.subarray(from, from + length)).replace(/\0[^]*$/, "");
  for (let at = 0; at < archive.length;) {
    const size = parseInt(text(at + 124, 12), 8) || 0;
    if (wanted.test(text(at, 100))) return text(at + TAR_BLOCK, size);
    at += TAR_BLOCK + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
  throw new Error(`the archive has no file like ${wanted}`);
}

/**
 * Runs the text of one test file, which begins and rolls back its own transaction.
 * @param sql a pool of one connection
 * @throws Error with the lines of the tests that failed, or with what Postgres reports
 */
export async function runPgTap(sql: postgres.Sql, file: string): Promise<void> {
  try {
    const results: Iterable<Iterable<postgres.Row>> = await sql.unsafe(file).simple();
    const rows = [...results].flatMap((result) => [...result]);
    const lines = rows.flatMap((row) => Object.values(row).flatMap(tapLines));
    const failures = findFailures(lines);
    if (failures.length > 0) throw new Error(failures.join("\n"));
  } catch (error) {
    throw error instanceof postgres.PostgresError ? describe(error, file) : error;
  } finally {
    await sql.unsafe("rollback");
  }
}

function tapLines(value: unknown): string[] {
  if (typeof value !== "string") return [];
  return value.split("\n").filter((line) => /^(ok |not ok |1\.\.\d+$|#)/.test(line))
    .map((line) => line.slice(0, LONGEST_LINE));
}

/** The failed tests of a TAP report with their diagnostics, and what is wrong with its plan. */
export function findFailures(lines: readonly string[]): string[] {
  const failures: string[] = [];
  let planned = 0;
  let run = 0;
  let failing = false;
  for (const line of lines) {
    if (line.startsWith("#")) {
      if (failing) failures.push(line);
      continue;
    }
    const plan = /^1\.\.(\d+)$/.exec(line)?.[1];
    if (plan !== undefined) planned = Number(plan);
    else run += 1;
    failing = line.startsWith("not ok");
    if (failing) failures.push(line);
  }
  if (run !== planned || run === 0) failures.push(`planned ${planned} tests, ran ${run}`);
  return failures;
}

function describe(error: postgres.PostgresError, file: string): Error {
  const at = error.position
    ? `line ${file.slice(0, Number(error.position)).split("\n").length}: `
    : "";
  const more = [error.detail, error.hint, error.where].filter(Boolean).join("\n");
  return new Error(`${at}${error.code} ${error.message}\n${more}`, { cause: error });
}
