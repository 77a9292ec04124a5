/** Schedules on a stack of a test's own: a scheduler, a clock to set, and what became of it. */

import {
  Scheduler,
  type SchedulerOptions,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { MessageBus } from "../../supabase/functions/_shared/symphony/bus/bus.ts";
import { createRegistry } from "../../supabase/functions/_shared/symphony/message/registry.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { takeClock, type TestClock } from "./clock.ts";
import { messages } from "./messages/mod.ts";
import { testsOnStack, type TestStack } from "./stack.ts";

/** A message that a schedule has made. */
export interface ScheduledMessageRow {
  id: string;
  type: string;
  queue: string;
  /** The nominal time, ISO 8601. */
  occurrence: string;
  run: number;
  schedule: string;
  available_at: Date;
}

/** What a test of schedules works with. */
export interface ScheduleBench {
  readonly stack: TestStack;
  readonly clock: TestClock;
  /** A scheduler of its own, as each tick has one. */
  scheduler(options?: Partial<SchedulerOptions>): Scheduler;
  /** Messages that schedules have made and nobody has handled yet, by occurrence. */
  made(): Promise<ScheduledMessageRow[]>;
  /** Lines that schedulers have logged. */
  readonly lines: { level: string; event: string; [field: string]: unknown }[];
}

/** A log that keeps its lines. */
function logTo(lines: ScheduleBench["lines"]) {
  const write = (level: string) => (event: string, fields: object = {}) =>
    void lines.push({ level, event, ...fields });
  const log = {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    with: () => log,
  };
  return log;
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
        const lines: ScheduleBench["lines"] = [];
        const registry = createRegistry(messages);
        const transport = new SupabaseTransport(stack.client);
        await body({
          stack,
          clock: await takeClock(stack.sql, from),
          lines,
          scheduler: (options = {}) =>
            new Scheduler({
              supabase: stack.client,
              bus: new MessageBus({ registry, transport }),
              log: logTo(lines),
              ...options,
            }),
          made: async () => [
            ...await stack.sql<ScheduledMessageRow[]>`
              select id::text, type, queue, available_at, stamps -> 'schedule' ->> 'id' as schedule,
                stamps -> 'schedule' ->> 'occurrence' as occurrence,
                (stamps -> 'schedule' ->> 'run')::int as run
              from public.messenger_messages m where stamps ? 'schedule' order by occurrence, m.id`,
          ],
        });
      })
    );
  });
}
