/**
 * Clusters of RabbitMQ on the loopback address, for tests: real nodes of Debian's package, with ports and folders of
 * their own. A node can be killed, paused, stopped and started again on its data.
 */

import {
  fileExists,
  freePort,
  type OwnedProcess,
  sendSignal,
  startProcess,
} from "../../../local/process.ts";
import { isOpen } from "../programs.ts";
import { type Disk, makeDisk } from "./disk.ts";
import { eventually } from "../stack.ts";

const SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const CONTROL = "/usr/lib/rabbitmq/bin/rabbitmqctl";
const PORT_MAPPER = "/usr/bin/epmd";
/** Longest time until a node serves, in ms: three begin together on two cores, beside other tests. */
const START_TIMEOUT_MS = 90_000;
const LOOPBACK = "127.0.0.1";

/** Whether RabbitMQ is on this machine; Debian has it as the package rabbitmq-server. */
export const hasRabbit: boolean = fileExists(SERVER) && fileExists(PORT_MAPPER);

/** One node. */
export interface RabbitNode {
  readonly name: string;
  readonly url: string;
  /** The group of its processes; undefined while it is not running. */
  readonly pid: number | undefined;
  /** Starts it on its data, and waits until it serves. */
  start(): Promise<void>;
  /** Ends it at once; what it wrote is still on its disk. */
  kill(): Promise<void>;
  /** Asks it to end, as an upgrade does. */
  stop(): Promise<void>;
  /** Lets it hang, with its connections open. */
  pause(): void;
  resume(): void;
  /** Its own disk, where the cluster was started with disks. */
  readonly disk?: Disk;
  /** Runs rabbitmqctl. @throws Error with its output */
  control(...args: string[]): Promise<string>;
}

/** A cluster that belongs to one test file. */
export interface RabbitCluster extends AsyncDisposable {
  readonly nodes: readonly RabbitNode[];
  /** The URL of each node. */
  readonly urls: readonly string[];
}

/** Options of a cluster. */
export interface ClusterOptions {
  /** Lines of rabbitmq.conf. */
  readonly settings?: readonly string[];
  /** Size of the disk of each node; without it they use this machine's. */
  readonly diskMegabytes?: number;
  /** Addresses for each node's way to the others; by default they share 127.0.0.1. */
  readonly addresses?: readonly string[];
}

/** A free port that no outgoing connection takes meanwhile: a node needs seconds until it listens. */
const listeningPort = () => freePort(20_000 + Math.floor(Math.random() * 12_000));

interface Place extends ClusterOptions {
  readonly folder: string;
  readonly mapperPort: number;
  readonly names: readonly string[];
}

/**
 * Starts a cluster.
 * @param count of nodes: 1 or 3
 */
export async function startRabbit(
  count = 1,
  options: ClusterOptions = {},
): Promise<RabbitCluster> {
  const folder = await Deno.makeTempDir({ prefix: "symphony-rabbit-" });
  const place = {
    ...options,
    folder,
    mapperPort: listeningPort(),
    names: Array.from(
      { length: count },
      (_, n) => `node${n + 1}@${options.addresses?.[n] ?? "localhost"}`,
    ),
  };
  await Deno.writeTextFile(`${folder}/.erlang.cookie`, crypto.randomUUID(), { mode: 0o400 });
  const mapper = startProcess(PORT_MAPPER, {
    args: [
      "-port",
      String(place.mapperPort),
      "-address",
      [LOOPBACK, ...options.addresses ?? []].join(),
    ],
    env: { HOME: folder },
  });
  const nodes = await Promise.all(place.names.map((name) => makeNode(place, name)));
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    await mapper.stop("SIGKILL");
    await Deno.remove(folder, { recursive: true });
  };
  try {
    // The first one forms the cluster: nodes that begin together have to elect it, which takes longer.
    for (const node of nodes) await node.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, urls: nodes.map(({ url }) => url), [Symbol.asyncDispose]: stop };
}

/** The node that leads a queue. */
export async function leaderOf({ nodes }: RabbitCluster, queue: string): Promise<RabbitNode> {
  const [first] = nodes;
  const text = await first?.control("list_queues", "name", "leader", "--no-table-headers") ?? "";
  const line = text.split("\n").find((one) => one.startsWith(`${queue}\t`));
  const leader = nodes.find(({ name }) => name === line?.split("\t")[1]);
  if (!leader) throw new Error(`no node leads ${queue}:\n${text}`);
  return leader;
}

async function makeNode(place: Place, name: string): Promise<RabbitNode> {
  const folder = `${place.folder}/${name}`;
  const port = listeningPort();
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/plugins`, "[].\n");
  await Deno.writeTextFile(`${folder}/rabbitmq.conf`, configOf(place, port));
  const env = environmentOf(place, name, port, listeningPort());
  const lines: string[] = [];
  let running: OwnedProcess | undefined;
  const url = `amqp://127.0.0.1:${port}`;
  const disk = place.diskMegabytes === undefined
    ? undefined
    : await makeDisk(`${folder}/disk`, `${folder}/data`, place.diskMegabytes, () => running?.pid);
  const end = async (signal: Deno.Signal) => {
    const group = running?.pid;
    if (group === undefined) return;
    // The server is a child of the script that starts it.
    sendSignal(-group, "SIGCONT");
    sendSignal(-group, signal);
    await running?.exited;
    running = undefined;
    await eventually(() => isOpen(port), (open) => !open);
  };
  return {
    name,
    url,
    get pid() {
      return running?.pid;
    },
    async start() {
      lines.length = 0;
      const [program, ...args] = disk ? await disk.around(SERVER) : [SERVER];
      const started = startProcess(program, { args, env, onLine: (line) => lines.push(line) });
      running = started;
      const isServing = async () => await isOpen(port);
      const isUp = eventually(isServing, (open) => open, START_TIMEOUT_MS);
      const hasEnded = started.exited.then(() => Promise.reject(new Error("it has ended")));
      try {
        await Promise.race([isUp, hasEnded]);
      } catch (error) {
        throw new Error(`${name} does not serve:\n${lines.join("\n")}`, { cause: error });
      }
    },
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    ...(disk && { disk }),
    pause: () => void (running && sendSignal(-running.pid, "SIGSTOP")),
    resume: () => void (running && sendSignal(-running.pid, "SIGCONT")),
    control: (...args) => control(env, args),
  };
}

async function control(env: Record<string, string>, args: readonly string[]): Promise<string> {
  const { RABBITMQ_NODENAME: name = "" } = env;
  const { success, stdout, stderr } = await new Deno.Command(CONTROL, {
    args: ["--node", name, "--quiet", ...args],
    env,
    clearEnv: true,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`rabbitmqctl ${args.join(" ")}: ${text(stderr)}${text(stdout)}`);
  return text(stdout);
}

function environmentOf(
  { folder, mapperPort, addresses }: Place,
  name: string,
  port: number,
  distributionPort: number,
): Record<string, string> {
  const own = `${folder}/${name}`;
  const address = addresses ? name.slice(name.indexOf("@") + 1) : LOOPBACK;
  const ip = `{${address.replaceAll(".", ",")}}`;
  return {
    HOME: folder,
    PATH: "/usr/bin:/bin:/usr/sbin:/sbin",
    LANG: "C.UTF-8",
    ERL_EPMD_PORT: String(mapperPort),
    ERL_EPMD_ADDRESS: LOOPBACK,
    RABBITMQ_NODENAME: name,
    RABBITMQ_USE_LONGNAME: String(addresses !== undefined),
    RABBITMQ_NODE_IP_ADDRESS: LOOPBACK,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: `${own}/data`,
    RABBITMQ_LOG_BASE: `${own}/log`,
    RABBITMQ_PID_FILE: `${own}/pid`,
    RABBITMQ_CONFIG_FILE: `${own}/rabbitmq`,
    RABBITMQ_CONF_ENV_FILE: `${own}/no-file`,
    RABBITMQ_ENABLED_PLUGINS_FILE: `${own}/plugins`,
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      `+S 2:2 +sbwt none -kernel inet_dist_use_interface ${ip} inet_dist_connect_options [{ip,${ip}}]`,
    RABBITMQ_CTL_ERL_ARGS: "+S 1:1",
  };
}

function configOf({ names, settings = [] }: Place, port: number): string {
  const formation = names.length === 1 ? [] : [
    "cluster_formation.peer_discovery_backend = classic_config",
    ...names.map((name, n) => `cluster_formation.classic_config.nodes.${n + 1} = ${name}`),
    "cluster_partition_handling = pause_minority",
  ];
  return [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    "disk_free_limit.absolute = 1MB",
    "net_ticktime = 8",
    ...formation,
    ...settings,
    "",
  ].join("\n");
}
