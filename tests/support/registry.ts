/**
 * An npm registry of one test run (verdaccio): it holds the package that this checkout builds, and passes on what
 * it does not have to the registry that npm uses here.
 */

import { buildPackage } from "../../package/build.ts";
import { NAME } from "../../package/entries.ts";
import { fileExists, freePort, type OwnedProcess, startProcess } from "../../local/process.ts";
import { runProgram } from "./programs.ts";

const VERDACCIO = "6.1.6";
/** Kept between runs, as node_modules is: verdaccio itself, and other people's packages that came through it. */
const KEPT_FOLDER = new URL("../../.local/registry/", import.meta.url).pathname;
const START_TIMEOUT_MS = 30_000;

/** A registry that belongs to this test run. */
export interface TestRegistry {
  /** Without a slash at its end. */
  readonly url: string;
  /** The version of the package that it holds. */
  readonly version: string;
  /** The run's folder, which goes with the registry: caches of its packages belong there. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** Starts a registry in a temporary folder, and publishes the package, built from this checkout. */
export async function startTestRegistry(): Promise<TestRegistry> {
  await installVerdaccio();
  const folder = await Deno.makeTempDir({ prefix: "symphony-registry-" });
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const { stdout: upstream } = await runProgram("npm", ["config", "get", "registry"]);
  await Deno.writeTextFile(`${folder}/config.yaml`, configOf(folder, upstream.trim()));
  const lines: string[] = [];
  const server = startProcess("node", {
    args: [
      `${KEPT_FOLDER}node_modules/verdaccio/bin/verdaccio`,
      ...["--config", `${folder}/config.yaml`, "--listen", `127.0.0.1:${port}`],
    ],
    env: Deno.env.toObject(),
    onLine: (line) => lines.push(line),
  });
  const stop = async () => {
    await server.stop("SIGTERM");
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await untilReady(url, server, lines);
    const version = await buildPackage(`${folder}/built`);
    await publish(url, `${folder}/built`);
    return { url, version, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Publishes a folder that is ready for `npm pack`, such as a later release that a test makes up.
 * @param tag under which npm finds it without a version
 * @throws Error with npm's output
 */
export async function publish(registry: string, folder: string, tag = "latest"): Promise<void> {
  const anyToken = `--${registry.replace(/^http:/, "")}/:_authToken=tests`;
  await runProgram("npm", ["publish", "--registry", registry, "--tag", tag, anyToken], {
    cwd: folder,
  });
}

async function installVerdaccio(): Promise<void> {
  if (fileExists(`${KEPT_FOLDER}node_modules/verdaccio/package.json`)) return;
  await Deno.mkdir(KEPT_FOLDER, { recursive: true });
  const manifest = {
    private: true,
    dependencies: { verdaccio: VERDACCIO },
    // The version that verdaccio asks for is no longer there.
    overrides: { "node-fetch": "2.7.0" },
  };
  await Deno.writeTextFile(`${KEPT_FOLDER}package.json`, JSON.stringify(manifest));
  await runProgram("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: KEPT_FOLDER,
  });
}

/** Our package stays in the run's folder, so that each run publishes it for the first time. */
function configOf(folder: string, upstream: string): string {
  return `storage: ${KEPT_FOLDER}storage
uplinks:
  upstream:
    url: ${upstream}
    timeout: 60s
packages:
  ${NAME}:
    storage: ${folder}/packages
    access: $all
    publish: $all
  "**":
    access: $all
    proxy: upstream
middlewares:
  audit:
    enabled: true
log: { type: stdout, format: pretty, level: warn }
web: { enable: false }
max_body_size: 50mb
`;
}

async function untilReady(
  url: string,
  server: OwnedProcess,
  lines: readonly string[],
): Promise<void> {
  let hasEnded = false;
  server.exited.then(() => hasEnded = true);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && !hasEnded) {
    const response = await fetch(`${url}/-/ping`).catch(() => null);
    await response?.body?.cancel();
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`verdaccio does not answer at ${url}:\n${lines.join("\n")}`);
}
