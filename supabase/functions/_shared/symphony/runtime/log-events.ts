/**
 * The events that this library logs. Names stay: searches and alerts rest on them. Lines of handlers (`ctx.log`) have
 * names of their own. docs/logs.md shows this list, and a test compares both with the calls in the source.
 */

import type { LOG_FIELDS } from "./log-fields.ts";

/** An event: the level of its lines, the sentence that explains it, and its fields, which {@link LOG_FIELDS} explains. */
export interface LogEvent {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly means: string;
  readonly fields: readonly (keyof typeof LOG_FIELDS)[];
}

/** Makes the entries of a level. */
const at =
  (level: LogEvent["level"]) => (means: string, ...fields: LogEvent["fields"]): LogEvent => ({
    level,
    means,
    fields,
  });
const [debug, info, warn, error] = [at("debug"), at("info"), at("warn"), at("error")];

/** The events by name. */
export const LOG_EVENTS = {
  access_rule_failed: error(
    "A type's access rule threw; the dispatch was refused.",
    "type",
    "event",
    "error",
  ),
  acknowledgement_failed: warn(
    "Handled deliveries were not acknowledged; they come again, and are dropped.",
    "transport",
    "error",
  ),
  attempt_broke_off: error(
    "An attempt ended by a fault of this library; the message is given back.",
    "id",
    "type",
    "error",
  ),
  background_failed: error("Work behind an answer that was sent already failed.", "error"),
  budget_spent: debug("A tick has reached a limit.", "spent"),
  call_repeated: warn(
    "A call of the database failed in passing, and is repeated.",
    "error",
    "pauseMs",
  ),
  claim_split: warn(
    "A claim was too much for the database, and is made in halves.",
    "maxMessages",
    "error",
  ),
  deliveries_cancelled: info(
    "Deliveries were cancelled while the engine had them; they are dead letters, and were not run.",
    "transport",
    "ids",
  ),
  delivery_unreadable: error(
    "A delivery is no message of this library; it was put aside.",
    "transport",
    "id",
    "error",
  ),
  dispatch_refused: warn(
    "Dispatches of a handler were refused; its attempt fails with the error.",
    "id",
    "type",
    "error",
  ),
  event_passed_over: info(
    "A wait passed over an event that does not fit its schema.",
    "id",
    "type",
    "event",
    "eventId",
  ),
  fold_failed: warn(
    "The counts of batches were not brought up to date; a sweep does it later.",
    "batches",
    "error",
  ),
  former_run_awaited: warn(
    "A message waits until the handlers of its former attempt have ended.",
    "id",
    "type",
  ),
  give_back_failed: warn(
    "Deliveries were not given back; they come again when the connection ends.",
    "transport",
    "error",
  ),
  handler_still_runs: warn(
    "A handler ignores its stop, and keeps its slot until it ends or the grace is over.",
    "id",
    "type",
    "attempt",
    "graceMs",
  ),
  heartbeat_failed: warn("Leases were not extended; it is tried again.", "error"),
  heartbeat_refused: error(
    "The database refuses to extend the leases of these messages.",
    "ids",
    "error",
  ),
  hook_failed: error("onRetry or onDeadLetter threw; the outcome stays.", "outcome", "error"),
  late_call_ignored: warn(
    "A handler used its context after the attempt's end; the call had no effect.",
    "call",
  ),
  lease_lost: warn("Another worker has the leases of these messages.", "ids"),
  leases_over: warn("The database was out of reach for longer than the leases last."),
  lines_left_out: warn(
    "More was logged than the platform keeps; these lines were counted instead.",
    "lines",
    "leftOut",
  ),
  messages_failed: warn(
    "Messages failed; one line a call, not one a message.",
    "retried",
    "failed",
    "failures",
  ),
  middleware_left_out_handlers: info(
    "Middleware did not call next(); the message counts as handled.",
    "middleware",
  ),
  progress_failed: warn("Progress was not written.", "error"),
  publication_refused: error(
    "A transport refused messages of the outbox for good.",
    "transport",
    "shard",
    "sent",
    "refused",
    "position",
    "error",
  ),
  published: debug(
    "Messages of the outbox were published.",
    "transport",
    "shard",
    "sent",
    "refused",
  ),
  receive_failed: warn(
    "A transport could not be received from; it is tried again.",
    "transport",
    "error",
  ),
  relay_failed: warn(
    "A relay could not ask the database for its batch, or note it.",
    "transport",
    "error",
  ),
  relay_was_late: warn(
    "Another relay has taken over the shard.",
    "transport",
    "shard",
    "sent",
    "refused",
  ),
  request_failed: error("A request was answered with a status of 500 or more.", "status", "error"),
  retry_rule_failed: error(
    "A type's own rule threw or answered wrongly; the general rules decide.",
    "rule",
    "type",
    "error",
  ),
  routing_not_synced: error("The routes of the code were not written to the database.", "error"),
  routing_synced: info("The routes of the code were written to the database."),
  schedule_finished: info("A schedule has made its last occurrence.", "id", "name", "reason"),
  schedule_invalid: error(
    "A schedule was disabled, because it can no longer run.",
    "id",
    "name",
    "reason",
  ),
  schedule_put_off: warn(
    "A schedule could not run now; it is tried again.",
    "id",
    "name",
    "retryInMs",
    "reason",
  ),
  schedule_run_failed: error("An occurrence could not be dispatched.", "id", "name", "reason"),
  schedules_failed: error("Due schedules could not be processed.", "error"),
  schedules_not_synced: error(
    "The schedules of the code were not written to the database.",
    "error",
  ),
  schedules_stale: warn("Another tick has processed these schedules.", "ids"),
  schedules_synced: info("The schedules of the code were written to the database.", "schedules"),
  series_not_written: warn("Counts for the time series were not written.", "points", "error"),
  settle_given_up: error(
    "No outcome of a message could be written; its lease ends, and it comes again.",
    "id",
    "error",
  ),
  settle_refused: error(
    "The database refused an outcome; another one was written.",
    "id",
    "error",
    "instead",
  ),
  settle_split: warn(
    "A settle call failed by its content, and is made in halves.",
    "messages",
    "error",
  ),
  settle_stale: warn("Outcomes were not written, because another worker has the leases.", "ids"),
  step_not_awaited: warn(
    "A handler ended without waiting for a step or a pause, which did not begin; `await` it.",
    "id",
    "type",
    "step",
  ),
  step_not_stored: error(
    "The result of a step could not be stored; the step runs again.",
    "id",
    "type",
    "step",
    "error",
  ),
  stray_error: error(
    "An error that no code awaits, such as a rejected promise.",
    "kind",
    "class",
    "error",
  ),
  tick: info(
    "A tick is over; one that found nothing is logged at debug.",
    "schedules",
    "messages",
    "durationMs",
  ),
  tick_call_failed: warn(
    "A tick could not tell the database how it stands.",
    "tick",
    "call",
    "error",
  ),
  transport_away: warn(
    "A transport does not answer; its messages wait in the outbox.",
    "transport",
    "shard",
    "sent",
    "refused",
    "error",
  ),
  transport_not_closed: warn(
    "The connection of a transport was not closed in time.",
    "transport",
    "error",
  ),
  wait_failed: warn(
    "A resident worker could not wait for messages; it polls meanwhile.",
    "error",
    "pauseMs",
  ),
  webhook_duplicate: info(
    "A webhook came in again, and was not dispatched twice.",
    "type",
    "source",
    "webhook",
  ),
  webhook_endpoint_disabled: error(
    "An endpoint was switched off after days of failure.",
    "endpoint",
    "reason",
  ),
  webhook_not_noted: warn("A delivery was made, and could not be noted.", "endpoint", "error"),
  webhook_refused: warn("A webhook that came in had no valid signature.", "error"),
  worker_call_failed: warn(
    "A resident worker could not tell the database that it is there.",
    "worker",
    "error",
  ),
  worker_drains: info(
    "A resident worker was asked to end, and finishes its messages.",
    "signal",
    "graceMs",
  ),
  worker_ended: info("A resident worker has ended.", "id", "name"),
  worker_gives_back: warn(
    "A resident worker's grace is over; it gives back its messages.",
    "reason",
  ),
  worker_interrupted: error("A resident worker lost the database, and tries again.", "error"),
  worker_started: info("A resident worker has started.", "id", "name", "queues", "concurrency"),
} satisfies Readonly<Record<string, LogEvent>>;
