/**
 * A disk for one server: a file system in an image file, which only the server and its children see. A test can cut its
 * power, so that only what was written through is left, and fill it.
 */

import { runProgram } from "../programs.ts";
import { eventually } from "../stack.ts";

/** A disk. */
export interface Disk {
  /** The command that runs a program which sees this disk. */
  around(program: string): Promise<[string, ...string[]]>;
  /** Keeps what has reached the disk by now, which is all that is there when it is used again. */
  cutPower(): Promise<void>;
  /** Writes all through, as the system does by itself within half a minute. */
  flush(): Promise<void>;
  /** Uses up all room. */
  fill(): Promise<void>;
  /** Gives back the room that was used up. */
  empty(): Promise<void>;
}

/** Whether this machine lets the tests mount an image file; for that they have to be root. */
export const hasDisks: boolean = canMount();

/**
 * Makes an empty disk.
 * @param image the new file
 * @param folder at which its program will see it
 * @param pidOf returns the id of the running program
 */
export async function makeDisk(
  image: string,
  folder: string,
  megabytes: number,
  pidOf: () => number | undefined,
): Promise<Disk> {
  const bytes = megabytes * 1024 * 1024;
  await Deno.mkdir(folder);
  using file = await Deno.open(image, { createNew: true, write: true });
  await file.truncate(bytes);
  await runProgram("mkfs.ext4", ["-q", "-m", "0", image]);
  const kept = `${image}.kept`;
  const seen = () => `/proc/${pidOf()}/root${folder}`;
  return {
    async around(program) {
      // The end of a killed program unmounts the disk, which takes a moment.
      const users = async () => (await runProgram("losetup", ["--associated", image])).stdout;
      await eventually(users, (text) => text === "");
      await Deno.rename(kept, image).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
      const script = 'mount -o loop "$0" "$1" && exec "$2"';
      return ["unshare", "--mount", "sh", "-c", script, image, folder, program];
    },
    cutPower: async () => void await runProgram("cp", ["--sparse=always", image, kept]),
    flush: async () => void await runProgram("sync", ["--file-system", seen()]),
    async fill() {
      const filler = `${seen()}/filler`;
      const rest = ["if=/dev/zero", `of=${filler}`, "bs=4k", "oflag=append", "conv=notrunc"];
      await runProgram("dd", rest, { mayFail: true });
    },
    empty: () => Deno.remove(`${seen()}/filler`),
  };
}

function canMount(): boolean {
  const script = "mount -t tmpfs none /mnt && [ -e /dev/loop-control ] && command -v mkfs.ext4";
  const args = ["--mount", "sh", "-c", script];
  try {
    return new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}
