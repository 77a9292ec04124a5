/** Folds of batches: how many calls they take, and what delays them. */

import { assertEquals } from "@std/assert";
import { BatchFolds } from "../../../../supabase/functions/_shared/symphony/worker/settle/batch-folds.ts";
import {
  handled,
  settlementOf,
} from "../../../../supabase/functions/_shared/symphony/message/outcome.ts";
import { createLogger } from "../../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { InMemoryTransport } from "../../../../supabase/functions/_shared/symphony/transport/memory.ts";
import { envelopeAt } from "../../../support/envelope.ts";

function open() {
  const folded: string[][] = [];
  const transport = new InMemoryTransport();
  transport.foldBatches = (ids) => {
    folded.push([...ids]);
    return Promise.resolve();
  };
  const folds = new BatchFolds({ transport, log: createLogger({ level: "silent" }) });
  const settle = (batch: string, members: number) =>
    folds.settled(Array.from({ length: members }, (_, index) => {
      const stamps = { batch: { id: batch, nth: index + 1 } };
      const envelope = { ...envelopeAt(new Date()), stamps };
      return { envelope, settlement: settlementOf(envelope, handled) };
    }));
  return { folded, folds, settle };
}

Deno.test("settle calls that follow each other share a fold", async () => {
  const { folded, folds, settle } = open();
  settle("1", 5_000);
  for (let call = 0; call < 5; call++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    settle("1", 1_000);
    settle("2", 1);
  }
  assertEquals(folded, [["1"]]);
  // The end of the run ends the pause.
  await folds.ended(performance.now() + 60_000);
  assertEquals(folded, [["1"], ["1", "2"]]);
});

Deno.test("messages of no batch make no fold", async () => {
  const { folded, folds } = open();
  const envelope = envelopeAt(new Date());
  folds.settled([{ envelope, settlement: settlementOf(envelope, handled) }]);
  await folds.ended(performance.now() + 60_000);
  assertEquals(folded, []);
});
