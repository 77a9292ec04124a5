// Watches a folder of code, and single files beside it, and tells what changed, once for each save.

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
 * @param files files elsewhere that count too; they are told by their names
 */
export function watchCode(
  folder: string,
  onChange: (paths: string[]) => Promise<void>,
  files: readonly string[] = [],
): CodeWatch {
  const root = Deno.realPathSync(folder);
  // Editors replace a file by another one, which a watch of the file itself would not see.
  const others = new Map(files.map((file) => {
    const [, dir = ".", name = file] = /^(.*)\/(.*)$/.exec(file) ?? [];
    return [`${Deno.realPathSync(dir || "/")}/${name}`, name];
  }));
  const dirs = new Set([...others.keys()].map((path) => path.slice(0, path.lastIndexOf("/") || 1)));
  const watchers = [
    Deno.watchFs(root, { recursive: true }),
    ...[...dirs].map((dir) => Deno.watchFs(dir, { recursive: false })),
  ];
  const changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = Promise.resolve();

  const tell = async () => {
    const paths = [...changed].sort();
    changed.clear();
    if (paths.length > 0) await onChange(paths);
  };
  /** The name of a changed file for the callback; empty for what is no code. */
  const nameOf = (path: string) =>
    others.get(path) ?? (path.startsWith(`${root}/`) ? path.slice(root.length + 1) : "");
  const read = async (watcher: Deno.FsWatcher) => {
    for await (const { kind, paths } of watcher) {
      if (kind === "access") continue;
      for (const name of paths.map(nameOf)) {
        if (name !== "" && !NOT_CODE.test(name)) changed.add(name);
      }
      if (changed.size === 0) continue;
      clearTimeout(timer);
      timer = setTimeout(() => running = running.then(tell), QUIET_MS);
    }
  };
  const reading = Promise.all(watchers.map(read));
  return {
    async stop() {
      for (const watcher of watchers) watcher.close();
      clearTimeout(timer);
      await reading;
      await running;
    },
  };
}
