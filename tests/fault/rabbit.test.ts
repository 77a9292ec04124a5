/** A cluster of three nodes of RabbitMQ in trouble: no message that was confirmed is lost. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { amqp } from "../../supabase/functions/_shared/symphony/amqp.ts";
import { published } from "../contract/engine_sending_contract.ts";
import { hasRabbit, leaderOf, type RabbitCluster, startRabbit } from "../support/rabbit/cluster.ts";
import { startTraffic } from "../support/rabbit/traffic.ts";
import { eventually } from "../support/stack.ts";

const never = new AbortController().signal;
let cluster: RabbitCluster;

if (hasRabbit) {
  Deno.test.beforeAll(async () => void (cluster = await startRabbit(3)));
  Deno.test.afterAll(async () => await cluster?.[Symbol.asyncDispose]());
}

/** Registers a test, which is skipped where there is no broker. */
function faultTest(name: string, test: () => Promise<void>): void {
  Deno.test({
    name: hasRabbit ? name : `${name} (needs Debian's package rabbitmq-server)`,
    ignore: !hasRabbit,
    fn: test,
  });
}

/** Two ends of a transport with queues of its own, which begin at different nodes. */
async function ends(name: string) {
  const open = () => amqp({ url: cluster.urls, prefix: `${name}.`, timeoutMs: 5_000 });
  const [sender, receiver] = [open(), open()] as const;
  await eventually(() => sender.declare([]).then(() => true, () => false), (done) => done, 60_000);
  // A broker writes its list of queues to disk some time later.
  for (const node of cluster.nodes) await node.control("eval", "mnesia:sync_log().");
  return { sender, receiver };
}

faultTest("no message is lost while nodes are killed one after the other", async () => {
  const { sender, receiver } = await ends("killed");
  const traffic = startTraffic(sender, receiver);
  for (const node of cluster.nodes) {
    await traffic.more(200);
    await node.kill();
    await traffic.more(200);
    await node.start();
  }
  const report = await traffic.stop();
  console.log(`killed: ${JSON.stringify(report)}`);
  assertEquals(report.lost, 0);
});

faultTest("no message is lost while nodes restart one after the other", async () => {
  const { sender, receiver } = await ends("restarted");
  const traffic = startTraffic(sender, receiver);
  for (const node of cluster.nodes) {
    await node.stop();
    await node.start();
    await traffic.more(100);
  }
  const report = await traffic.stop();
  console.log(`restarted: ${JSON.stringify(report)}`);
  assertEquals(report.lost, 0);
});

faultTest("what was confirmed is there after all nodes are killed at once", async () => {
  const { sender, receiver } = await ends("all");
  const messages = Array.from({ length: 500 }, (_, n) => published(n + 1));
  const fates = await sender.publish(messages, never);
  assert(fates.every(({ kind }) => kind === "confirmed"));
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  await assertRejects(() => sender.publish(messages.slice(0, 1), never));
  await Promise.all(cluster.nodes.map((node) => node.start()));
  const came = new Set<string>();
  await eventually(
    async () => {
      const request = { max: 500, maxBytes: 10_000_000, waitMs: 200 };
      let trouble: unknown;
      const pulled = await receiver.pull(request).catch((error) => (trouble = String(error), []));
      pulled.forEach(({ id }) => came.add(id));
      await receiver.acknowledge(pulled);
      return { came: came.size, trouble };
    },
    (told) => told.came === messages.length,
    60_000,
  );
  await Promise.all([sender.close(), receiver.close()]);
});

faultTest(
  "a broker that is low on disk takes nothing, delivers, and continues once there is room",
  async () => {
    const { sender, receiver } = await ends("full");
    const [first] = cluster.nodes;
    await sender.publish([published(1)], never);
    await first?.control("set_disk_free_limit", "1000000GB");
    try {
      const tell = () =>
        sender.publish([published(2)], AbortSignal.timeout(1_000)).then(
          ([fate]) => fate?.kind === "unknown" ? String(fate.error) : fate?.kind,
          String,
        );
      await eventually(tell, (told) => told?.includes("takes no messages") ?? false);
      const [delivery] = await receiver.pull({ max: 1, maxBytes: 1_000, waitMs: 10_000 });
      assertEquals(delivery?.id, "1");
      assertEquals(await receiver.acknowledge(delivery ? [delivery] : []), [true]);
    } finally {
      await first?.control("set_disk_free_limit", "1MB");
    }
    const fate = async () => (await sender.publish([published(3)], never).catch(() => []))[0]?.kind;
    await eventually(fate, (kind) => kind === "confirmed");
    await Promise.all([sender.close(), receiver.close()]);
  },
);

// The last one: a cluster that was split needs a while until all of its nodes have its list of queues on disk.
faultTest("while the leader hangs the others take over, and nothing is lost", async () => {
  const { sender, receiver } = await ends("hung");
  const leader = await leaderOf(cluster, "hung.default");
  const traffic = startTraffic(sender, receiver);
  await traffic.more(200);
  leader.pause();
  try {
    await traffic.more(200);
  } finally {
    leader.resume();
  }
  await traffic.more(200);
  const report = await traffic.stop();
  console.log(`hung: ${JSON.stringify(report)}`);
  assertEquals(report.lost, 0);
});
