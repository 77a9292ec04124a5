/**
 * The ids of jobs that a reload continues: one item of sessionStorage, with the user whose jobs they are. Where
 * there is no sessionStorage, they live as long as the page.
 */

import type { Messenger } from "./messenger.ts";
import { createStore } from "../store.ts";

/** One user's ids of jobs, by storage key. */
export interface StoredJobs {
  get(key: string): string | undefined;
  /** Keeps an id; undefined: forgets it. */
  set(key: string, id: string | undefined): void;
  /** Calls the listener after each change. */
  subscribe(listener: () => void): () => void;
  /** Gives ids that came before the page knew its user to the user, and forgets another user's. */
  settle(): void;
  /** Forgets all ids, and keeps none from now on. */
  end(): void;
}

interface Stored {
  /** Whose they are; null: of a visitor, or of a user whom the page does not know yet. */
  readonly user: string | null;
  readonly ids: { readonly [key: string]: string | undefined };
}

const NAME = "symphony-messenger";

/** Makes the store of the jobs of a client's user. */
export function createStoredJobs({ session }: Pick<Messenger, "session">): StoredJobs {
  const store = createStore(load() ?? { user: null, ids: {} });
  let isOver = false;
  const idsOf = ({ user, ids }: Stored) => user === null || user === session.get() ? ids : {};
  const save = (ids: Stored["ids"]) => {
    if (isOver) return;
    const stored = { user: session.get(), ids };
    try {
      sessionStorage.setItem(NAME, JSON.stringify(stored));
    } catch {
      // Browsers that keep no data throw, and other runtimes have no sessionStorage.
    }
    store.put(stored);
  };
  return {
    // A key may be the name of a property that every object has.
    get: (key) => new Map(Object.entries(idsOf(store.get()))).get(key),
    // Another provider of the page may have stored ids.
    set: (key, id) => save({ ...idsOf(load() ?? store.get()), [key]: id }),
    subscribe: store.subscribe,
    settle: () => save(idsOf(store.get())),
    end() {
      save({});
      isOver = true;
    },
  };
}

function load(): Stored | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? "");
  } catch {
    return undefined;
  }
}
