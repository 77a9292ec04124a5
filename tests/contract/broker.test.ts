/** The transport over an engine keeps the contract: through home's outbox, a relay, a broker in memory, and back. */

import { Broker } from "../support/broker.ts";
import { openOver } from "./engine_under_test.ts";
import { testTransport } from "./transport_contract.ts";

testTransport("over a broker", {
  ...{ received: "here", fence: "advisory", settle: "stepwise", order: "partition" },
  ...{ cancel: "at-delivery", lease: "fixed", limits: false, views: false, maxBytes: 100_000 },
}, () => openOver(new Broker()));
