/** Serves the page from this machine, its script bundled for browsers. */

import { bundle } from "../bundle.ts";

/** Where the page finds the project. */
export interface PageConfig {
  readonly url: string;
  readonly publishableKey: string;
}

/**
 * Serves the page on a free port.
 * @throws Error with the bundler's words where the script cannot be bundled
 */
export async function servePage(
  { url, publishableKey }: PageConfig,
): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const file = (name: string) => new URL(name, import.meta.url);
  const page = await Deno.readTextFile(file("index.html"));
  const script = await bundle(file("main.ts"));
  const files: Record<string, [type: string, text: string]> = {
    "/": ["text/html", page],
    "/main.js": ["text/javascript", script],
    "/config.json": ["application/json", JSON.stringify({ url, publishableKey })],
  };
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const [type, text] = files[new URL(request.url).pathname] ?? [];
    return type === undefined
      ? new Response(null, { status: 404 })
      : new Response(text, { headers: { "content-type": `${type}; charset=utf-8` } });
  });
}
