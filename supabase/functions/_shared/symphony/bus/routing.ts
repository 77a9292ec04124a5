/**
 * Routes: which transport a type of message goes through. An exact name in the configuration comes first, then the
 * longest pattern, then the definition. All of it is checked once, at the start. Pure.
 */

import type { MessageDefinition } from "../message/definition.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import { checkName } from "../message/names.ts";
import type { Registry } from "../message/registry.ts";
import { checkPlainFunction } from "../runtime/checks.ts";
import { showValue } from "../runtime/inspect.ts";
import type { DeclaredRouting } from "../database/declared-routing.ts";
import { isOptions, nearest } from "../runtime/option-names.ts";
import { type EngineSender, isReceived } from "../transport/engine.ts";

/** Name of the transport that every project has: its own Postgres. */
export const HOME = "home";

/** A route: the name of a transport, or a function that returns one for each message. */
export type Route = string | ((message: OutgoingMessage) => string);

/** Transports beside home, and which messages go through them: a part of a project's `config`. */
export interface RoutingOptions {
  /** Transports by name, such as `{ eu: supabaseProject({...}) }`. `home` is the project's own Postgres. */
  readonly transports?: Readonly<Record<string, EngineSender>>;
  /**
   * Routes by message type, or by a pattern in which `*` stands for any letters: `{ "Audit*": "events" }`. An exact
   * type comes first, then the longest pattern; both come before the definition's own `transport` or `route`.
   */
  readonly routing?: Readonly<Record<string, Route>>;
}

/** The checked routes of a project. */
export interface Routes {
  readonly transports: ReadonlyMap<string, EngineSender>;
  /** The route of each type that has one. */
  readonly byType: ReadonlyMap<string, Route>;
  /** The form that SQL reads; null if there is no transport beside home. */
  readonly declared: DeclaredRouting | null;
}

/**
 * Checks the routes of a project.
 * @returns null if there is nothing to route: everything goes home
 * @throws RangeError that names the transport, the pattern or the type that is wrong
 */
export function checkRoutes(options: RoutingOptions, registry: Registry): Routes | null {
  const transports = new Map(Object.entries(checkObject(options.transports, "transports")));
  for (const [name, engine] of transports) checkTransport(name, engine);
  const routing = Object.entries(checkObject(options.routing, "routing"));
  const types = [...registry.keys()];
  for (const [pattern, route] of routing) {
    if (!types.some((type) => matches(pattern, type))) throw matchesNone(pattern, types);
    checkRoute(route, `routing: ${pattern}`, transports);
  }
  const byType = new Map<string, Route>();
  const declared = new Map(routing);
  for (const definition of registry.values()) {
    const { type } = definition;
    const own = definition.transport ?? definition.route;
    if (own !== undefined) checkRoute(own, `${type}: transport`, transports);
    const configured = bestOf(routing, type);
    const route = configured ?? own;
    checkHandled(definition, route, transports);
    if (route === undefined) continue;
    byType.set(type, route);
    if (configured === undefined) declared.set(type, route);
  }
  if (transports.size === 0 && byType.size === 0) return null;
  return { transports, byType, declared: declaredOf(transports, declared) };
}

/** The route with the exact name, or else with the longest pattern. */
function bestOf(routing: readonly (readonly [string, Route])[], type: string): Route | undefined {
  const found = routing.filter(([pattern]) => matches(pattern, type))
    .toSorted(([a], [b]) =>
      Number(b === type) - Number(a === type) || b.length - a.length || (a < b ? -1 : 1)
    );
  return found[0]?.[1];
}

/** The routes that concern one type, for a function that knows no other. */
export function routingOf(type: string, routing: RoutingOptions["routing"] = {}) {
  const own = Object.entries(routing).filter(([pattern]) => matches(pattern, type));
  return { routing: Object.fromEntries(own) };
}

/**
 * Whether a type has the name, or fits the pattern, in which `*` stands for any letters. The first place where a part fits
 * is as good as any later one; a regular expression tries them all, for minutes with a dozen of stars.
 */
export function matches(pattern: string, type: string): boolean {
  const [first = "", ...parts] = pattern.split("*");
  const last = parts.pop();
  if (last === undefined) return pattern === type;
  let at = first.length;
  const end = type.length - last.length;
  if (end < at || !type.startsWith(first) || !type.endsWith(last)) return false;
  for (const part of parts) {
    const found = type.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= end;
}

/**
 * Checks the name of a transport.
 * @throws RangeError that names the field, and a similar transport if there is one
 */
export function checkTransportName(
  name: unknown,
  field: string,
  transports: ReadonlyMap<string, unknown>,
): string {
  if (typeof name === "string" && (name === HOME || transports.has(name))) return name;
  const known = [HOME, ...transports.keys()];
  const meant = typeof name === "string" ? nearest(name, known) : undefined;
  const advice = meant ? `did you mean ${meant}?` : `there are ${known.join(", ")}`;
  throw new RangeError(`${field}: there is no transport ${showValue(name)}; ${advice}`);
}

function checkRoute(route: unknown, field: string, transports: Routes["transports"]): void {
  if (typeof route === "function") checkPlainFunction(route, field);
  else checkTransportName(route, field, transports);
}

/** @throws RangeError if a type has no handler, and is handled here */
function checkHandled(
  { type, handlers, batch }: MessageDefinition,
  route: Route | undefined,
  transports: Routes["transports"],
): void {
  if (handlers.length > 0 || batch !== null) return;
  const engine = typeof route === "string" ? transports.get(route) : undefined;
  if (engine && !isReceived(engine)) return;
  throw new RangeError(
    `${type}: handler: is missing; only a type that always goes to another project needs none`,
  );
}

function checkTransport(name: string, engine: unknown): void {
  checkName(name, `transports: ${name}`, 100);
  if (name === HOME) {
    throw new RangeError(`transports: ${HOME} is the project's own Postgres; give another name`);
  }
  const isEngine = typeof engine === "object" && engine !== null && "publish" in engine;
  if (isEngine) return;
  throw new RangeError(
    `transports: ${name}: has to be a transport, such as supabaseProject({...}); got ${
      showValue(engine)
    }`,
  );
}

function checkObject<Value>(
  value: Readonly<Record<string, Value>> = {},
  field: string,
): Readonly<Record<string, Value>> {
  if (isOptions(value)) return value;
  throw new RangeError(`${field}: has to be an object; got ${showValue(value)}`);
}

function matchesNone(pattern: string, types: readonly string[]): RangeError {
  const meant = nearest(pattern, types);
  const advice = meant ? `did you mean ${meant}?` : `there are ${types.join(", ") || "none"}`;
  return new RangeError(`routing: ${pattern}: no message has such a type; ${advice}`);
}

function declaredOf(
  transports: Routes["transports"],
  routes: ReadonlyMap<string, Route>,
): DeclaredRouting | null {
  if (transports.size === 0) return null;
  const received = [...transports].map(([name, engine]) => [name, isReceived(engine)]);
  const named = [...routes].map(([one, route]) => [one, typeof route === "string" ? route : null]);
  return { transports: Object.fromEntries(received), routes: Object.fromEntries(named) };
}
