/** The scheduler over schedules in memory keeps the contract. */

import { Scheduler } from "../../supabase/functions/_shared/symphony/index.ts";
import { MessageBus } from "../../supabase/functions/_shared/symphony/bus/bus.ts";
import { createRegistry } from "../../supabase/functions/_shared/symphony/message/registry.ts";
import {
  InMemoryScheduleStore,
  InMemoryTransport,
} from "../../supabase/functions/_shared/symphony/testing.ts";
import { unusedSupabase } from "../../supabase/functions/_shared/symphony/testing/unused-supabase.ts";
import { handleAll } from "../support/handle_all.ts";
import { logTo } from "../support/kept_log.ts";
import { messages } from "../support/messages/mod.ts";
import { testScheduler } from "./scheduler_contract.ts";
import { type ScheduledMessage, type SchedulerUnderTest, START } from "./scheduler_under_test.ts";

function open(): SchedulerUnderTest {
  let at = Date.parse(START);
  const now = () => at;
  const transport = new InMemoryTransport({ now });
  const store = new InMemoryScheduleStore({ transport, now });
  const registry = createRegistry(messages);
  const lines: SchedulerUnderTest["lines"] = [];
  const scheduler: SchedulerUnderTest["scheduler"] = (options = {}) =>
    new Scheduler({
      supabase: unusedSupabase(),
      store,
      bus: new MessageBus({ registry, transport }),
      log: logTo(lines),
      ...options,
    });
  return {
    clock: { set: (to) => Promise.resolve(void (at = new Date(to).getTime())) },
    scheduler,
    schedulerWith: (...middleware) =>
      scheduler({ bus: new MessageBus({ registry, transport, middleware }) }),
    made: () => Promise.resolve(madeBy(transport)),
    handleAll: () => handleAll(transport),
    setQueue: (queue, settings) => Promise.resolve(transport.queues.set(queue, settings)),
    lines,
  };
}

function madeBy(transport: InMemoryTransport): ScheduledMessage[] {
  const made = transport.messages.flatMap(({ id, type, payload, queue, groupKey, stamps }) =>
    stamps.schedule === undefined ? [] : [{
      ...{ id, type, payload, queue, groupKey: groupKey ?? null },
      occurrence: stamps.schedule.occurrence,
      run: stamps.schedule.run,
      schedule: stamps.schedule.id,
    }]
  );
  return made.toSorted((a, b) =>
    a.occurrence === b.occurrence
      ? Number(a.id) - Number(b.id)
      : a.occurrence < b.occurrence
      ? -1
      : 1
  );
}

testScheduler((sentence, test) => Deno.test(`in memory: ${sentence}`, () => test(open())));
