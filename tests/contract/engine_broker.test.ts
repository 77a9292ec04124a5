/** The broker in memory that other tests use keeps the promises of engines. */

import { Broker } from "../support/broker.ts";
import { testEngine } from "./engine_contract.ts";

testEngine("the broker in memory", () => {
  const engine = new Broker();
  return Promise.resolve({
    engine,
    loseConnection: () => Promise.resolve(engine.loseConnection()),
    close: () => engine.close(),
  });
});
