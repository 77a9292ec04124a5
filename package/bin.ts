#!/usr/bin/env node
/** The command `symphony-messenger`, as npm links it: the package's only file that runs by itself. */

import process from "node:process";

const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 20) {
  console.error(
    `error: Node ${process.versions.node} is too old; symphony-messenger needs 20 or newer`,
  );
  process.exit(2);
}

// Imported only now: an older Node may fail in the middle of it.
const { main } = await import("../cli/main.ts");
await main();
