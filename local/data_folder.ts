// The folder that keeps a stack's data between runs. One stack at a time holds it, by a lock of the
// kernel's that ends with the process.
import { StackError } from "./errors.ts";

/**
 * Makes the folder, where needed, and locks it until the returned file is closed.
 * Throws a StackError when another stack holds it.
 */
export async function lockDataFolder(path: string): Promise<Deno.FsFile> {
  await Deno.mkdir(path, { recursive: true });
  const file = await Deno.open(`${path}/lock`, { read: true, write: true, create: true });
  if (await file.tryLock(true)) {
    await file.truncate();
    await file.write(new TextEncoder().encode(String(Deno.pid)));
    return file;
  }
  file.close();
  const holder = await Deno.readTextFile(`${path}/lock`);
  throw new StackError(
    `another local stack (process ${holder}) uses ${path}: stop it first, or use another data folder`,
  );
}

/** Removes the database; the keys stay, so that clients need no new configuration. */
export async function resetDataFolder(path: string): Promise<void> {
  try {
    await Deno.remove(`${path}/postgres`, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
