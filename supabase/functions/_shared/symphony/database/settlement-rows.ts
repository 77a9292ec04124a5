/** Groups outcomes by their lease tokens, in the shape that `messenger_settle` reads. */

import type { Parked, Retry, Settlement } from "../message/outcome.ts";
import { effectsRow, stepRow } from "./durable-steps.ts";

/** The outcomes of one claim. A kind of outcome that no message has is left out. */
export interface TokenSettlements {
  token: string;
  grouped?: true;
  /** The keys of the groups, behind the name of their queue. */
  groups?: [queue: string, ...keys: string[]][];
  handled?: string[];
  /** The batch whose members all handled messages are. */
  batch?: string;
  kept?: unknown[];
  progressed?: string[];
  released?: string[];
  snoozed?: unknown[];
  retries?: unknown[];
  dead?: unknown[];
  parked?: unknown[];
  durable?: string[];
  effects?: unknown[];
}

/** Makes the entries of `messenger_settle`, one for each lease token. */
export function byToken(settlements: readonly Settlement[]): TokenSettlements[] {
  const tokens = new Map<string, TokenSettlements>();
  const groups = new Map<string, [queue: string, ...keys: string[]]>();
  const isGiven = settlements.every(({ grouped, group }) => !grouped || group !== undefined);
  for (const { id, leaseToken, grouped, group, batch, outcome, effects } of settlements) {
    let entry = tokens.get(leaseToken);
    if (!entry) tokens.set(leaseToken, entry = { token: leaseToken });
    if (grouped) entry.grouped = true;
    if (grouped && isGiven && group) addGroup(entry, groups, group);
    if (effects) (entry.effects ??= []).push({ id, ...effectsRow(effects) });
    switch (outcome.kind) {
      case "handled":
        addHandled(entry, id, batch);
        if (outcome.keepMs !== undefined) {
          (entry.kept ??= []).push({ id, keep_ms: outcome.keepMs, result: outcome.result });
        }
        if (outcome.progressed) (entry.progressed ??= []).push(id);
        if (outcome.durable) (entry.durable ??= []).push(id);
        break;
      case "released":
        (entry.released ??= []).push(id);
        break;
      case "snoozed":
        (entry.snoozed ??= []).push({ id, delay_ms: outcome.delayMs, stamps: outcome.stamps });
        break;
      case "retry":
        (entry.retries ??= []).push(retryRow(id, outcome));
        break;
      case "dead":
        (entry.dead ??= []).push({
          id,
          reason: outcome.reason,
          stamps: outcome.stamps,
          errors: outcome.errors,
        });
        break;
      case "parked":
        (entry.parked ??= []).push(parkedRow(id, outcome));
    }
  }
  return [...tokens.values()];
}

/** Each queue has a list in the entry of a token. */
function addGroup(
  entry: TokenSettlements,
  lists: Map<string, [queue: string, ...keys: string[]]>,
  [queue, key]: readonly [queue: string, key: string],
): void {
  const name = `${entry.token} ${queue}`;
  let list = lists.get(name);
  if (!list) {
    lists.set(name, list = [queue]);
    (entry.groups ??= []).push(list);
  }
  list.push(key);
}

/** The batch is named only where all handled messages are its members: otherwise the call reads their stamps. */
function addHandled(entry: TokenSettlements, id: string, batch: string | undefined): void {
  if (entry.handled === undefined) {
    entry.handled = [];
    if (batch !== undefined) entry.batch = batch;
  } else if (entry.batch !== undefined && entry.batch !== batch) {
    delete entry.batch;
  }
  entry.handled.push(id);
}

function retryRow(id: string, outcome: Retry) {
  return {
    id,
    delay_ms: outcome.delayMs,
    retry_count: outcome.retryCount,
    quarantined: outcome.quarantined,
    interrupted: outcome.interrupted,
    stamps: outcome.stamps,
    errors: outcome.errors,
    ended: outcome.ended,
  };
}

function parkedRow(id: string, { delayMs, step, waits, leaveGroup, stamps }: Parked) {
  return {
    id,
    delay_ms: delayMs,
    step: step && stepRow(step),
    waits,
    leave_group: leaveGroup,
    stamps,
  };
}
