/**
 * A program that runs a cluster in which the node that leads a queue is cut off from the others for a while, and prints
 * what became of the messages. Needs a network of its own, such as that of `unshare --net`, whose rules it changes.
 */

import { amqp } from "../../../supabase/functions/_shared/symphony/amqp.ts";
import { isOpen, runProgram } from "../programs.ts";
import { eventually } from "../stack.ts";
import { leaderOf, type RabbitNode, startRabbit } from "./cluster.ts";
import { startTraffic } from "./traffic.ts";

const ADDRESSES = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];

const ip = (...args: string[]) => runProgram("ip", args);

/** Lets nothing through between an address and the others, or everything again. */
async function rule(verb: "add" | "del", address: string): Promise<void> {
  for (const other of ADDRESSES.filter((one) => one !== address)) {
    for (const [from, to] of [[address, other], [other, address]] as const) {
      await ip("rule", verb, "pref", "0", "from", from, "to", to, "blackhole");
    }
  }
}

await ip("link", "set", "lo", "up");
// Rules come in order, and that of the machine's own addresses would be the first.
await ip("rule", "add", "pref", "1", "lookup", "local");
await ip("rule", "del", "pref", "0", "lookup", "local");

await using cluster = await startRabbit(3, { addresses: ADDRESSES });
const open = () => amqp({ url: cluster.urls, prefix: "cut.", timeoutMs: 5_000 });
const [sender, receiver] = [open(), open()];
await eventually(() => sender.declare([]).then(() => true, () => false), (done) => done, 60_000);
const leader = await leaderOf(cluster, "cut.default");
const traffic = startTraffic(sender, receiver);
await traffic.more(200);

const address = leader.name.slice(leader.name.indexOf("@") + 1);
await rule("add", address);
const leads = async () => {
  const others = cluster.nodes.filter((node) => node !== leader);
  return (await leaderOf({ ...cluster, nodes: others }, "cut.default").catch(() => undefined))
    ?.name;
};
await eventually(leads, (name) => name !== undefined, 60_000);
await traffic.more(200);
const running = (node: RabbitNode) => async () =>
  (await node.control("eval", "length(rabbit_mnesia:cluster_nodes(running)).").catch(String))
    .trim();
// Each side has to see the other one go, which takes up to ten seconds: a cut that only one of them has seen ends in a
// cluster that stays split. The one that is cut off pauses, and closes its port.
await eventually(() => isOpen(Number(new URL(leader.url).port)), (open) => !open, 60_000);
for (const node of cluster.nodes.filter((node) => node !== leader)) {
  await eventually(running(node), (nodes) => nodes === "2", 60_000);
}
await rule("del", address);
await traffic.more(200);
// Until the cluster is whole, what only the one that was cut off has is not seen.
await eventually(running(leader), (nodes) => nodes === "3", 90_000);
console.log(JSON.stringify(await traffic.stop()));
