/** The commands of the local stack, started as npx starts them: they end with their parent, and clean up. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { freePort } from "../../local/process.ts";
import { createLocalProject, descendants, isRunning } from "../support/local_project.ts";
import { eventually } from "../support/stack.ts";

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** `deno task start`, or another command of `local/`, run through a shell as npx does. */
async function startTask(command = "start.ts --no-demo") {
  const dir = await Deno.makeTempDir({ prefix: "symphony-task-" });
  const script = `${new URL("../../local/", import.meta.url).pathname}${command}`;
  const options = `--port ${freePort()} --data-dir ${dir}/data`;
  const child = new Deno.Command("sh", {
    args: ["-c", `${Deno.execPath()} run -A ${script} ${options}; true`],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines: string[] = [];
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) lines.push(text);
  };
  const output = Promise.all([read(child.stdout), read(child.stderr)]);
  await eventually(
    () => Promise.resolve(lines.join("")),
    (text) => text.includes("Ready."),
    60_000,
  );
  const processes = descendants(child.pid);
  return {
    dir,
    child,
    output,
    lines,
    processes,
    hasEnded: () =>
      eventually(() => Promise.resolve(processes.filter(isRunning)), (left) => left.length === 0),
    remove: () => Deno.remove(dir, { recursive: true }).catch(() => {}),
  };
}

test("task start prints the address of the console, whose page passes requests on to the stack", async () => {
  const task = await startTask();
  const [, address = ""] = /console {2}(http:\S+)/.exec(task.lines.join("")) ?? [];
  const { origin, hash } = new URL(address);
  const page = await fetch(origin);
  assertStringIncludes(await page.text(), "<title>Symphony Messenger</title>");
  const headers = { "x-symphony-token": hash.slice("#token=".length) };
  const access = await fetch(`${origin}/api/access`, { headers });
  assertEquals((await access.json()).mayChange, true);
  const [command = 0] = task.processes;
  Deno.kill(command, "SIGINT");
  await task.hasEnded();
  await Promise.all([task.child.status, task.output]);
  await task.remove();
});

test("task start ends with the program that it was started through", async () => {
  const task = await startTask();
  task.child.kill("SIGKILL");
  await task.hasEnded();
  await Promise.all([task.child.status, task.output]);
  await task.remove();
});

test("task dev starts without the demo, and Ctrl-C ends all of it", async () => {
  const task = await startTask("dev.ts");
  assertStringIncludes(task.lines.join(""), "Functions restart when their code changes");
  const [command = 0] = task.processes;
  assert(command > 0);
  Deno.kill(command, "SIGINT");
  await task.hasEnded();
  await Promise.all([task.child.status, task.output]);
  assertStringIncludes(task.lines.join(""), "Stopped.");
  assert(!task.lines.join("").includes("a system outside"));
  await task.remove();
});

test("a stack whose data folder has vanished ends, and says why", async () => {
  const task = await startTask();
  await Deno.remove(`${task.dir}/data`, { recursive: true });
  await task.hasEnded();
  await Promise.all([task.child.status, task.output]);
  assertStringIncludes(task.lines.join(""), `the data folder ${task.dir}/data is gone`);
  await task.remove();
});

test("a stack that is killed takes its processes along, and starts again on its data", async () => {
  const other = await createLocalProject({
    open: "export default { fetch: () => new Response() };",
  });
  const options = {
    projectDir: other.dir,
    dataDir: `${other.dir}/.local`,
    migrate: "sql",
    warmUp: true,
  };
  const killed = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { startStack } from ${JSON.stringify(import.meta.resolve("../../local/stack.ts"))};
       await startStack(${JSON.stringify(options)});
       console.log("up");
       await new Promise(() => setInterval(() => {}, 1000));`,
    ],
    cwd: new URL("../..", import.meta.url).pathname,
    stdout: "piped",
  }).spawn();
  const output = killed.stdout.getReader();
  await output.read();
  const processes = descendants(killed.pid);
  assert(processes.length > 3);
  killed.kill("SIGKILL");
  await killed.status;
  await output.cancel();

  const restarted = await other.start();
  assertEquals((await fetch(`${restarted.url}/functions/v1/open`)).status, 200);
  await eventually(() => Promise.resolve(processes.filter(isRunning)), (left) => left.length === 0);
  await restarted.stop();
  await other.remove();
});

test("task start refuses what it does not know, and says where help is", async () => {
  const start = async (...args: string[]) => {
    const script = new URL("../../local/start.ts", import.meta.url).pathname;
    const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", script, ...args] });
    const { code, stdout, stderr } = await command.output();
    return [code, new TextDecoder().decode(stdout), new TextDecoder().decode(stderr)];
  };
  assertEquals(await start("--prot", "80"), [1, "", "unknown option --prot: see --help\n"]);
  assertEquals(await start("--port", "http"), [
    1,
    "",
    "--port http: must be a number from 1 to 65535\n",
  ]);
  assertEquals(await start("--port=70000"), [
    1,
    "",
    "--port 70000: must be a number from 1 to 65535\n",
  ]);
  const [code, help] = await start("--help");
  assertEquals(code, 0);
  assertStringIncludes(String(help), "--no-demo");
});
