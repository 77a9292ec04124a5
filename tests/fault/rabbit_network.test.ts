/** A cluster of RabbitMQ whose network is cut. */

import { assertEquals } from "@std/assert";
import { runProgram } from "../support/programs.ts";
import { hasRabbit } from "../support/rabbit/cluster.ts";

const canRun = hasRabbit && hasNetworks();
const name = "no confirmed message is lost while the leader is cut off from the other nodes";

/** Whether this machine lets the tests make a network of their own; for that they have to be root. */
function hasNetworks(): boolean {
  const args = ["--net", "ip", "link", "set", "lo", "up"];
  try {
    return new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

Deno.test({
  name: canRun
    ? name
    : `${name} (needs Debian's package rabbitmq-server, root and network namespaces)`,
  ignore: !canRun,
  fn: async () => {
    const program = new URL("../support/rabbit/cut_off.ts", import.meta.url).pathname;
    const deno = [
      Deno.execPath(),
      "run",
      "-A",
      "--no-check",
      "--lock=deno.dev.lock",
      "--frozen",
      program,
    ];
    const { stdout } = await runProgram("unshare", ["--net", ...deno]);
    console.log(`cut off: ${stdout}`);
    assertEquals(JSON.parse(stdout).lost, 0);
  },
});
