/**
 * The addresses to which a webhook call may connect. The name is looked up once, each address is checked, and the
 * call connects to a checked address: a name that leads elsewhere at a second look-up has no second look-up.
 */

import { isAddress, isPublicAddress } from "./public-address.ts";
import { HostNotFoundError, WebhookRefusedError } from "./webhook-errors.ts";

/** Looks up the addresses of a name: an empty array if it has none, undefined if that cannot be known. */
export type LookUp = (name: string) => Promise<readonly string[] | undefined>;

/** Rules for the hosts of webhook calls. */
export interface HostRules {
  /**
   * Hosts, as `name` or `name:port`, that are called whatever their address is, over HTTP too; and addresses that
   * other names may lead to.
   */
  readonly allowPrivate: readonly string[];
  /** Default: DNS. */
  readonly lookUp?: LookUp;
}

/**
 * Rules of a connection. They are declared here, for the declarations of the package must not lead to types of Deno.
 */
export interface ConnectionRules extends HostRules {
  /** Certificates of further authorities, as PEM. */
  readonly caCerts?: readonly string[];
}

/** Longest time of a look-up, in ms. */
const LOOK_UP_MS = 3_000;

/** Largest number of a name's addresses that are tried. */
const MAX_ADDRESSES = 3;

/** Tells whether a URL's host is one of those that are called whatever their address is. */
export function isAllowedPrivate(
  { protocol, hostname, port }: URL,
  { allowPrivate }: HostRules,
): boolean {
  // A URL does not show the port that its protocol has by default.
  const host = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
  return allowPrivate.includes(hostname) || allowPrivate.includes(host);
}

/**
 * Returns the addresses to connect to, each checked.
 * @returns at most 3, IPv4 first; undefined if the name cannot be looked up here: then the address of the
 * connection has to be checked before anything is sent
 * @throws WebhookRefusedError if any address of the host is not public
 * @throws HostNotFoundError if the name has no address
 */
export async function checkedAddresses(
  url: URL,
  rules: HostRules,
): Promise<readonly string[] | undefined> {
  const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isAddress(name)) return [checked(name, name, rules)];
  // No DNS has them: these names are resolved by the machine itself, or mean it.
  if (/(^|\.)(localhost|local|internal)\.?$/.test(name)) throw refused(name, name);
  const found = await (rules.lookUp ?? lookUpByDns)(name);
  if (!found) return undefined;
  if (found.length === 0) throw new HostNotFoundError(`url: ${name} has no address`);
  const addresses = found.map((address) => checked(address, name, rules));
  return addresses.toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":")))
    .slice(0, MAX_ADDRESSES);
}

/**
 * Checks one address.
 * @param name of its host, for the error
 * @returns the address
 * @throws WebhookRefusedError if it is not public
 */
export function checked(address: string, name: string, { allowPrivate }: HostRules): string {
  if (isPublicAddress(address) || allowPrivate.includes(address)) return address;
  throw refused(address, name);
}

function refused(address: string, name: string): WebhookRefusedError {
  const leads = address === name ? "" : ` leads to ${address}, which`;
  return new WebhookRefusedError(`url: ${name}${leads} is not a public address; it is not called`);
}

/** @returns undefined if the look-up failed for another reason than that the name has no address */
async function lookUpByDns(name: string): Promise<readonly string[] | undefined> {
  const signal = AbortSignal.timeout(LOOK_UP_MS);
  const answers = await Promise.allSettled(
    (["A", "AAAA"] as const).map((type) => Deno.resolveDns(name, type, { signal })),
  );
  const found = answers.flatMap((answer) => answer.status === "fulfilled" ? answer.value : []);
  const isUnknown = answers.some((answer) =>
    answer.status === "rejected" && !(answer.reason instanceof Deno.errors.NotFound)
  );
  return found.length === 0 && isUnknown ? undefined : found;
}
