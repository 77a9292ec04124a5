// Watches a folder of code and tells what changed in it, once for each save.

/** A watch that runs. */
export interface CodeWatch {
  /** Ends the watch; resolves when a callback that runs has ended. */
  stop(): Promise<void>;
}

/** Editors write a file in several steps: the callback waits until nothing has changed for this long. */
const QUIET_MS = 100;
/** Editors' own files: hidden ones, backups, swap files, and the number that vim tries a folder with. */
const NOT_CODE = /(^|\/)\.|~$|\.(swp|tmp|bak)$|(^|\/)4913$/;

/**
 * Calls back with the paths, relative to the folder, that were written, made, moved or removed. One
 * callback runs at a time; changes during it are told by the next one.
 */
export function watchCode(
  folder: string,
  onChange: (paths: string[]) => Promise<void>,
): CodeWatch {
  const root = Deno.realPathSync(folder);
  const watcher = Deno.watchFs(root, { recursive: true });
  const changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = Promise.resolve();

  const tell = async () => {
    const paths = [...changed].sort();
    changed.clear();
    if (paths.length > 0) await onChange(paths);
  };
  const read = async () => {
    for await (const { kind, paths } of watcher) {
      if (kind === "access") continue;
      for (const path of paths.map((path) => path.slice(root.length + 1))) {
        if (path !== "" && !NOT_CODE.test(path)) changed.add(path);
      }
      if (changed.size === 0) continue;
      clearTimeout(timer);
      timer = setTimeout(() => running = running.then(tell), QUIET_MS);
    }
  };
  const reading = read();
  return {
    async stop() {
      watcher.close();
      clearTimeout(timer);
      await reading;
      await running;
    },
  };
}
