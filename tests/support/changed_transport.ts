/** The transport in memory with some of its calls failing, watched or changed. */

import type { Transport } from "../../supabase/functions/_shared/symphony/index.ts";
import type { Settlement } from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import type { InMemoryTransport } from "../../supabase/functions/_shared/symphony/testing.ts";
import type {
  Claim,
  ClaimRequest,
} from "../../supabase/functions/_shared/symphony/transport/transport.ts";

/** A transport that fails as told, before the call or after it. */
export function failing(
  memory: InMemoryTransport,
  fault: (operation: string, when: "before" | "after") => Error | undefined,
): Transport {
  const guard = <Args extends unknown[], Answer>(
    operation: string,
    call: (...args: Args) => Promise<Answer>,
  ) =>
  async (...args: Args) => {
    const before = fault(operation, "before");
    if (before) throw before;
    const answer = await call.apply(memory, args);
    const after = fault(operation, "after");
    if (after) throw after;
    return answer;
  };
  return {
    send: guard("send", memory.send),
    reserveIds: guard("reserveIds", memory.reserveIds),
    effect: guard("effect", memory.effect),
    claim: guard("claim", memory.claim),
    settle: guard("settle", memory.settle),
    settleAndClaim: guard("settle", memory.settleAndClaim),
    extendLeases: guard("extendLeases", memory.extendLeases),
    reportProgress: guard("reportProgress", memory.reportProgress),
    loadSteps: guard("loadSteps", memory.loadSteps),
    saveSteps: guard("saveSteps", memory.saveSteps),
    cancel: guard("cancel", memory.cancel),
    writeBatch: guard("writeBatch", memory.writeBatch),
    foldBatches: guard("foldBatches", memory.foldBatches),
    followBatch: guard("followBatch", memory.followBatch),
    cancelBatch: guard("cancelBatch", memory.cancelBatch),
    emit: guard("emit", memory.emit),
    readEvents: guard("readEvents", memory.readEvents),
    batchResults: guard("batchResults", memory.batchResults),
  };
}

/** The memory with some of its calls watched or changed. */
export function changed(memory: InMemoryTransport, by: {
  readonly claim?: (claim: Claim, request: ClaimRequest) => Claim;
  readonly settle?: (settlements: readonly Settlement[]) => void;
  readonly extendLeases?: Transport["extendLeases"];
}): Transport {
  const { claim = (claim: Claim) => claim, settle = () => {} } = by;
  return {
    send: (messages) => memory.send(messages),
    reserveIds: (number) => memory.reserveIds(number),
    effect: (request) => memory.effect(request),
    claim: async (request) => claim(await memory.claim(request), request),
    settle: (settlements) => (settle(settlements), memory.settle(settlements)),
    settleAndClaim: async (settlements, request) => {
      settle(settlements);
      const answer = await memory.settleAndClaim(settlements, request);
      return { ...answer, ...claim(answer, request) };
    },
    extendLeases: by.extendLeases ?? ((leases, ms) => memory.extendLeases(leases, ms)),
    loadSteps: (requests) => memory.loadSteps(requests),
    saveSteps: (saves) => memory.saveSteps(saves),
    cancel: (filter) => memory.cancel(filter),
    reportProgress: (reports) => memory.reportProgress(reports),
    writeBatch: (chunk) => memory.writeBatch(chunk),
    foldBatches: (ids) => memory.foldBatches(ids),
    followBatch: (id) => memory.followBatch(id),
    cancelBatch: (id) => memory.cancelBatch(id),
    emit: (...event) => memory.emit(...event),
    readEvents: (reads) => memory.readEvents(reads),
    batchResults: (id) => memory.batchResults(id),
  };
}
