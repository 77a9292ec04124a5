/** Which addresses are of the public internet. */

import { assertEquals } from "@std/assert";
import {
  isAddress,
  isPublicAddress,
} from "../../../supabase/functions/_shared/symphony/webhooks/public-address.ts";

Deno.test("public addresses are public", () => {
  for (
    const address of [
      ...["1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1"],
      ...["192.0.1.1", "198.17.255.255", "198.20.0.1", "223.255.255.255", "169.253.1.1"],
      ...["2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2400:cb00::1"],
      ...["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
    ]
  ) assertEquals([address, isPublicAddress(address)], [address, true]);
});

Deno.test("loopback, private, link-local, metadata, shared, multicast and reserved addresses are not public", () => {
  for (
    const address of [
      ...[
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.9.9.9",
      ],
      ...["168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255"],
      ...[
        "192.0.0.170",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
      ],
      ...["203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"],
      ...["::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1"],
      ...["2001::1", "2001:db8::1", "3fff::1", "4000::1", "64:ff9b:1::1", "5f00::1"],
    ]
  ) assertEquals([address, isPublicAddress(address)], [address, false]);
});

Deno.test("an IPv6 address that carries a private IPv4 address is not public", () => {
  for (
    const address of [
      ...["::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:169.254.169.254", "::127.0.0.1"],
      ...["64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1"],
    ]
  ) assertEquals([address, isPublicAddress(address)], [address, false]);
});

Deno.test("a text that is no address is not public", () => {
  for (
    const text of [
      ...[
        "",
        "example.com",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "01.2.3.4",
        "0x7f.0.0.1",
        "2130706433",
      ],
      ...[":", ":::", "1::2::3", "12345::", "::g", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1.2.3"],
      ...["fe80::1%eth0", "1.2.3.4::", "[::1]"],
    ]
  ) assertEquals([text, isAddress(text), isPublicAddress(text)], [text, false, false]);
});
