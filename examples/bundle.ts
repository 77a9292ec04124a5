/** Bundles a module for browsers, as `deno bundle` does. */

/**
 * The minified text of a module with all that it imports.
 * @throws Error with the bundler's words
 */
export async function bundle(module: URL): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform=browser", "--minify", module.pathname],
    cwd: new URL("..", import.meta.url).pathname,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
