/** Serves the page by Vite. */

import { createServer } from "vite";
import config from "./vite.config.ts";

/** Where the page finds the project. */
export interface PageConfig {
  readonly url: string;
  readonly publishableKey: string;
  /** Port of the page; the next free one if it is taken; default: 5173. */
  readonly port?: number;
}

/** A page that is served. */
export interface Page {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves the page from its sources: a change of one is seen at once.
 * @throws Error with Vite's words if it cannot be served
 */
export async function servePage({ url, publishableKey, port = 5173 }: PageConfig): Promise<Page> {
  const server = await createServer({
    ...config,
    configFile: false,
    // In a project of your own these two stand in `.env.local`.
    define: {
      "import.meta.env.VITE_SUPABASE_URL": JSON.stringify(url),
      "import.meta.env.VITE_SUPABASE_PUBLISHABLE_KEY": JSON.stringify(publishableKey),
    },
    server: { ...config.server, host: "127.0.0.1", port },
    logLevel: "warn",
  });
  await server.listen();
  const [address] = server.resolvedUrls?.local ?? [];
  if (address === undefined) throw new Error("Vite has no address");
  return { url: address, stop: () => server.close() };
}
