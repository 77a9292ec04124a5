/// <reference lib="dom" />
/** Hooks in a component of their own, rendered as an app renders it. */

import "./dom.ts";
import { createElement, type ReactNode, StrictMode, useLayoutEffect } from "react";
import { createRoot } from "react-dom/client";
import { createMessengerClient, type MessageType } from "../../client/mod.ts";
import { MessengerProvider } from "../../client/react/mod.ts";
import { MemoryProject } from "./memory_project.ts";

/** A client without Realtime and repeats, over a project in memory. */
export function fakeMessenger(user?: string | null) {
  const supabase = new MemoryProject(user);
  return { supabase, messenger: createMessengerClient(supabase, { live: false, retries: 0 }) };
}

/** A message. Not by name: examples register the names of theirs. */
export const RenderVideo = { type: "RenderVideo" } as MessageType<unknown>;

type Client = Parameters<typeof MessengerProvider>[0]["client"];

/** A mounted hook. */
export interface MountedHook<Result> {
  /** The hook's last result. */
  readonly current: Result;
  /** Waits for a result that the function accepts. @throws Error if none comes in 10 s */
  until(accepts: (result: Result) => boolean): Promise<Result>;
  unmount(): void;
}

/** Mounts components in StrictMode below a provider, and returns the function that unmounts them. */
export function mount(client: Client, node: ReactNode): { container: Element; unmount(): void } {
  const container = document.createElement("div");
  const root = createRoot(container);
  root.render(
    createElement(StrictMode, null, createElement(MessengerProvider, { client }, node)),
  );
  return { container, unmount: () => root.unmount() };
}

/**
 * Mounts a hook in StrictMode below a provider. It returns after the first effects.
 * @param around wraps the component, such as in another provider
 */
export async function mountHook<Result>(
  client: Client,
  useHook: () => Result,
  around: (node: ReactNode) => ReactNode = (node) => node,
): Promise<MountedHook<Result>> {
  const results: Result[] = [];
  const waiting = new Set<() => void>();
  const Component = () => {
    const result = useHook();
    useLayoutEffect(() => {
      results.push(result);
      for (const look of waiting) look();
    });
    return null;
  };
  const { unmount } = mount(client, around(createElement(Component)));
  const hook: MountedHook<Result> = {
    get current() {
      return results.at(-1) as Result;
    },
    unmount,
    until: (accepts) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`waited in vain; last: ${JSON.stringify(results.at(-1))}`));
        }, 10_000);
        const look = () => {
          const last = results.at(-1);
          if (last === undefined || !accepts(last)) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(last);
        };
        waiting.add(look);
        look();
      }),
  };
  await hook.until(() => true);
  return hook;
}
