/** Settlements as `messenger_settle` reads them. */

import { assertEquals } from "@std/assert";
import { byToken } from "../../../supabase/functions/_shared/symphony/database/settlement-rows.ts";
import {
  handled,
  released,
  settlementOf,
} from "../../../supabase/functions/_shared/symphony/message/outcome.ts";
import type { Stamps } from "../../../supabase/functions/_shared/symphony/message/envelope.ts";
import { envelopeAt } from "../../support/envelope.ts";

const memberOf = (id: string): Stamps => ({ batch: { id, nth: 1 } });
const settled = (stamps: Stamps, outcome: typeof handled | typeof released = handled) =>
  settlementOf({ ...envelopeAt(new Date()), stamps }, outcome);

for (
  const [name, settlements, batch] of [
    ["of one batch", [settled(memberOf("7")), settled(memberOf("7"))], "7"],
    ["of two batches", [settled(memberOf("7")), settled(memberOf("8"))], undefined],
    ["of a batch and of none", [settled(memberOf("7")), settled({})], undefined],
    ["of none and of a batch", [settled({}), settled(memberOf("7"))], undefined],
    [
      "of two batches by turns",
      ["7", "8", "7"].map((id) => settled(memberOf(id))),
      undefined,
    ],
    ["beside one given back", [settled({}, released), settled(memberOf("7"))], "7"],
    ["with a stamp of the user's own", [settled({ batch: "mine" } as never)], undefined],
    [
      "that a schedule made",
      [settled({ ...memberOf("7"), schedule: { id: "1", name: null, occurrence: "", run: 1 } })],
      undefined,
    ],
  ] as const
) {
  Deno.test(`handled messages ${name} name ${batch ? "their" : "no"} batch`, () => {
    const [entry] = byToken(settlements);
    assertEquals(entry?.batch, batch);
  });
}
