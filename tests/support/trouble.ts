/** One message in trouble beside others that are none. */

import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { workbench } from "./worker.ts";
import {
  type AttemptError,
  defineMessage,
  type MessageDefinition,
  type Middleware,
} from "../../supabase/functions/_shared/symphony/index.ts";

/** A message beside the one in trouble, in the same batch of the same worker. */
export const beside = defineMessage({ type: "Beside", schema: z.unknown(), handler: () => {} });

/** Runs one message in trouble beside three others; returns the reason and the errors it ended with. */
export async function trouble(
  definition: MessageDefinition,
  options: { readonly middleware?: readonly Middleware[]; readonly stamps?: unknown } = {},
): Promise<{ reason: string | undefined; errors: readonly AttemptError[]; lines: string[] }> {
  const { middleware = [] } = options;
  const { memory, work, lines } = workbench([definition, beside], { middleware });
  await memory.send([
    {
      type: "T",
      payload: {},
      ...(options.stamps !== undefined && { stamps: options.stamps as never }),
    },
    ...[1, 2, 3].map((payload) => ({ type: "Beside", payload })),
  ]);
  const report = await work({ budgetMs: 10_000 });
  assertEquals(report.claimed, 4);
  assert(report.handled >= 3, JSON.stringify(report));
  const [letter] = memory.failed;
  return {
    reason: letter?.reason,
    errors: letter?.envelope.errors ?? [],
    lines: lines.map(({ event }) => event),
  };
}
