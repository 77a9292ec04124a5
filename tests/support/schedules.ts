/** Schedules on a stack of a test's own: a scheduler, a clock to set, and what became of it. */

import {
  Scheduler,
  type SchedulerOptions,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { MessageBus } from "../../supabase/functions/_shared/symphony/bus/bus.ts";
import { createRegistry } from "../../supabase/functions/_shared/symphony/message/registry.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import type { ScheduledMessage, SchedulerUnderTest } from "../contract/scheduler_under_test.ts";
import { takeClock } from "./clock.ts";
import { handleAll } from "./handle_all.ts";
import { logTo } from "./kept_log.ts";
import { messages } from "./messages/mod.ts";
import { setQueue } from "./queue_settings.ts";
import { testsOnStack, type TestStack } from "./stack.ts";

/** The parts that a test of schedules on Postgres works with. */
export interface ScheduleBench extends SchedulerUnderTest {
  readonly stack: TestStack;
}

/** Registers tests that share one stack; each begins without schedules, at `from`. */
export function testsOfSchedules(
  from: string,
  register: (test: (name: string, body: (bench: ScheduleBench) => Promise<void>) => void) => void,
): void {
  testsOnStack({ poolSize: 20 }, (test) => {
    register((name, body) =>
      test(name, async (stack) => {
        await stack.sql`truncate public.messenger_schedules, public.messenger_schedule_runs,
          messenger.schedule_declarations`;
        const clock = await takeClock(stack.sql, from);
        await body({ ...benchOn(stack), clock });
      })
    );
  });
}

function benchOn(stack: TestStack): Omit<ScheduleBench, "clock"> {
  const lines: ScheduleBench["lines"] = [];
  const registry = createRegistry(messages);
  const transport = new SupabaseTransport(stack.client);
  const scheduler = (options: Partial<SchedulerOptions> = {}) =>
    new Scheduler({
      supabase: stack.client,
      bus: new MessageBus({ registry, transport }),
      log: logTo(lines),
      ...options,
    });
  return {
    stack,
    lines,
    scheduler,
    schedulerWith: (...middleware) =>
      scheduler({ bus: new MessageBus({ registry, transport, middleware }) }),
    made: async () => [
      ...await stack.sql<ScheduledMessage[]>`
        select id::text, type, payload, queue, group_key as "groupKey",
          stamps -> 'schedule' ->> 'id' as schedule,
          stamps -> 'schedule' ->> 'occurrence' as occurrence,
          (stamps -> 'schedule' ->> 'run')::int as run
        from public.messenger_messages m where stamps ? 'schedule' order by occurrence, m.id`,
    ],
    handleAll: () => handleAll(transport),
    setQueue: (name, settings) => setQueue(stack.sql, name, settings),
  };
}
