/** A cluster of three nodes of RabbitMQ on disks that lose their power or their room: what was confirmed is there. */

import { assertEquals } from "@std/assert";
import { amqp } from "../../supabase/functions/_shared/symphony/amqp.ts";
import { hasRabbit, leaderOf, type RabbitCluster, startRabbit } from "../support/rabbit/cluster.ts";
import { hasDisks } from "../support/rabbit/disk.ts";
import { startTraffic } from "../support/rabbit/traffic.ts";
import { eventually } from "../support/stack.ts";

const canRun = hasRabbit && hasDisks;
let cluster: RabbitCluster;
if (canRun) {
  Deno.test.beforeAll(async () => void (cluster = await startRabbit(3, { diskMegabytes: 512 })));
  Deno.test.afterAll(async () => await cluster?.[Symbol.asyncDispose]());
}

/** Registers a test, which is skipped where a test can have no disks. */
function diskTest(name: string, fn: () => Promise<void>): void {
  const ignore = !canRun;
  Deno.test({
    name: ignore ? `${name} (needs Debian's package rabbitmq-server, root and loop devices)` : name,
    ignore,
    fn,
  });
}

/** Sends and receives over queues of its own, once they are on the disks. */
async function trafficOver(prefix: string) {
  const open = () => amqp({ url: cluster.urls, prefix: `${prefix}.`, timeoutMs: 5_000 });
  const [sender, receiver] = [open(), open()];
  await eventually(() => sender.declare([]).then(() => true, () => false), (done) => done, 60_000);
  for (const node of cluster.nodes) await node.control("eval", "mnesia:sync_log().");
  return startTraffic(sender, receiver);
}

diskTest("no confirmed message is lost when the power of all nodes is cut at once", async () => {
  const traffic = await trafficOver("power");
  for (let cut = 0; cut < 3; cut++) {
    // A node does not start again without the files that it has just made.
    await Promise.all(cluster.nodes.map((node) => node.disk?.flush()));
    await traffic.more(300);
    cluster.nodes.forEach((node) => node.pause());
    await Promise.all(cluster.nodes.map((node) => node.disk?.cutPower()));
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await Promise.all(cluster.nodes.map((node) => node.start()));
  }
  await traffic.more(300);
  const report = await traffic.stop();
  console.log(`power: ${JSON.stringify(report)}`);
  assertEquals(report.lost, 0);
});

diskTest(
  "no confirmed message is lost when the disk of the leader is full, then that of another",
  async () => {
    const traffic = await trafficOver("room");
    for (let turn = 0; turn < 2; turn++) {
      await traffic.more(200);
      const leader = await leaderOf(cluster, "room.default");
      const full = turn === 0 ? leader : cluster.nodes.find((node) => node !== leader);
      const alarms = () => leader.control("eval", "rabbit_alarm:get_alarms().");
      await full?.disk?.fill();
      // The whole cluster takes no messages, until this node has room again.
      await eventually(alarms, (text) => text.trim() !== "[]");
      await full?.disk?.empty();
      // Its member of the queue may have ended, and only a restart brings it back.
      await full?.kill();
      await full?.start();
    }
    await traffic.more(300);
    const report = await traffic.stop();
    console.log(`room: ${JSON.stringify(report)}`);
    assertEquals(report.lost, 0);
  },
);
