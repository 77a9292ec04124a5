/**
 * Tells addresses of the public internet from all others: loopback, private, link-local (with the metadata
 * services of clouds), shared, multicast and reserved ones, and IPv6 addresses that carry such an IPv4 address.
 * The ranges are those of IANA's special-purpose registries (RFC 6890).
 */

/** IPv4 ranges that are not of the public internet, as address and length of the prefix. */
const IPV4_RANGES = [
  ["0.0.0.0", 8], // this network
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // shared, behind a provider's NAT
  ["127.0.0.0", 8], // loopback
  ["168.63.129.16", 32], // Azure's own services, metadata among them
  ["169.254.0.0", 16], // link-local; 169.254.169.254 is the metadata service of most clouds
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocol assignments
  ["192.0.2.0", 24], // documentation
  ["192.88.99.0", 24], // 6to4 relays
  ["192.168.0.0", 16], // private
  ["198.18.0.0", 15], // benchmarks
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 3], // multicast, reserved, broadcast
] as const;

/** IPv6 ranges within 2000::/3 that are not of the public internet. */
const IPV6_RANGES = [
  ["2001::", 23], // protocol assignments, Teredo among them
  ["2001:db8::", 32], // documentation
  ["3fff::", 20], // documentation
] as const;

/** IPv6 prefixes before an IPv4 address that a gateway or the host itself connects to. */
const CARRIERS = [
  { prefix: "::ffff:0:0", length: 96 }, // mapped
  { prefix: "64:ff9b::", length: 96 }, // NAT64
  { prefix: "2002::", length: 16 }, // 6to4
] as const;

/**
 * Tells whether a text is an address of the public internet.
 * @param text an IPv4 address of four decimal numbers, or an IPv6 address without brackets
 * @returns false for every other text, such as a name
 */
export function isPublicAddress(text: string): boolean {
  const bytes = parseAddress(text);
  if (!bytes) return false;
  return bytes.length === 4 ? isPublicIpv4(bytes) : isPublicIpv6(bytes);
}

/** Tells whether a text is an IP address, without brackets. */
export function isAddress(text: string): boolean {
  return parseAddress(text) !== undefined;
}

function isPublicIpv4(bytes: readonly number[]): boolean {
  return !IPV4_RANGES.some(([range, length]) => isWithin(bytes, range, length));
}

function isPublicIpv6(bytes: readonly number[]): boolean {
  const carrier = CARRIERS.find(({ prefix, length }) => isWithin(bytes, prefix, length));
  if (carrier) {
    const at = carrier.length / 8;
    return isPublicIpv4(bytes.slice(at, at + 4));
  }
  return isWithin(bytes, "2000::", 3) &&
    !IPV6_RANGES.some(([range, length]) => isWithin(bytes, range, length));
}

function isWithin(bytes: readonly number[], range: string, length: number): boolean {
  const start = parseAddress(range) ?? [];
  return bytes.length === start.length && start.every((byte, index) => {
    const bits = Math.min(Math.max(length - index * 8, 0), 8);
    const mask = 0xff << (8 - bits) & 0xff;
    return ((bytes[index] ?? 0) & mask) === (byte & mask);
  });
}

/** The bytes of an address; undefined if the text is none. A zone (`%eth0`) belongs to link-local addresses only. */
function parseAddress(text: string): number[] | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  const isWhole = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part));
  const bytes = parts.map(Number);
  return isWhole && bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split("::");
  // Four decimal numbers stand at the end only.
  if (halves.length > 2 || /\..*:/.test(text)) return undefined;
  const [head, tail] = halves.map((half) => half === "" ? [] : half.split(":").map(parseGroup));
  const groups = [...head ?? [], ...tail ?? []];
  if (groups.includes(undefined)) return undefined;
  const known = groups.flatMap((group) => group ?? []).length;
  if (tail ? known > 14 : known !== 16) return undefined;
  const bytes = (part: typeof head) => (part ?? []).flatMap((group) => group ?? []);
  return [...bytes(head), ...new Array<number>(16 - known).fill(0), ...bytes(tail)];
}

/** Two bytes of hexadecimal digits, or four of an IPv4 address at the end. */
function parseGroup(text: string): number[] | undefined {
  if (text.includes(".")) return parseIpv4(text);
  if (!/^[0-9a-f]{1,4}$/i.test(text)) return undefined;
  const value = parseInt(text, 16);
  return [value >> 8, value & 0xff];
}
