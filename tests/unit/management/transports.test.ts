import { assertEquals } from "@std/assert";
import { declareTransports } from "../../../supabase/functions/_shared/symphony/management/transports.ts";
import type {
  Engine,
  EngineSender,
} from "../../../supabase/functions/_shared/symphony/transport/engine.ts";
import { define } from "../../support/definitions.ts";
import { received, recorded } from "../../support/recorded_engine.ts";

/** An engine that tells which queues it was asked for. */
function declaring(asked: string[], trouble?: Error): Engine {
  return {
    ...received(),
    declare: (queues) => {
      asked.push(...queues.map(({ name }) => name));
      return trouble ? Promise.reject(trouble) : Promise.resolve();
    },
  };
}

const definitions = [
  define(() => {}, { type: "Mail", queue: "mail" }),
  define(() => {}, { type: "Letter", queue: "mail" }),
  define(() => {}, { type: "Import", queue: "imports" }),
  define(() => {}, { type: "Home", queue: "own" }),
];
const registry = new Map(definitions.map((one) => [one.type, one]));
const byType = new Map([["Mail", "events"], ["Letter", "events"], ["Import", "files"]]);

Deno.test("each transport makes the queues of the types that are routed to it", async () => {
  const [events, files]: [string[], string[]] = [[], []];
  const transports = new Map([["events", declaring(events)], ["files", declaring(files)]]);
  assertEquals(await declareTransports({ transports, byType }, registry), [
    { name: "events", state: "declared", problem: null },
    { name: "files", state: "declared", problem: null },
  ]);
  assertEquals([events, files], [["mail"], ["imports"]]);
});

Deno.test("a transport that cannot make its queues tells why, and keeps no other back", async () => {
  const transports = new Map<string, EngineSender>([
    ["events", declaring([], new Error("ACCESS_REFUSED"))],
    ["eu", recorded()],
    ["files", declaring([])],
  ]);
  assertEquals(await declareTransports({ transports, byType }, registry), [
    { name: "events", state: "failed", problem: "ACCESS_REFUSED" },
    { name: "eu", state: "elsewhere", problem: null },
    { name: "files", state: "declared", problem: null },
  ]);
});
