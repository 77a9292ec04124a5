/** Opens an address in the operator's browser. */

import { spawn } from "node:child_process";
import process from "node:process";

const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/**
 * Tries to; where no browser can be opened, the printed address is enough.
 * @param url that of `offerUrl`: it becomes an argument of a process, which other users can list
 */
export function openBrowser(url: string): void {
  const [program = "xdg-open", ...args] = PROGRAMS[process.platform] ?? ["xdg-open"];
  try {
    const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
    child.on("error", () => {});
    child.unref();
  } catch {
    // There is no such program.
  }
}
