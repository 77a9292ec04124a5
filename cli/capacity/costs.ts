/**
 * The costs of a message, as `deno task bench` measures them. tests/unit/bench/capacity.test.ts compares them with
 * bench/results, so that a figure that is no longer true fails it.
 */

/** The cost of messages for the database and the functions, on the benchmarks' machine. Times are CPU of Postgres, in ms. */
export const COSTS = {
  /** A message that is written in a call of 1,000 (W1). */
  writeMs: 0.0059,
  /** A call that writes, with its commit, however many messages it has (W11: one by one). */
  writeCallMs: 0.74,
  /** A message that is claimed and settled, without its share of a round trip (W2). */
  handleMs: 0.01,
  /** A round trip of a worker, which settles and claims (W11: the steady rates). */
  roundTripMs: 2.4,
  /** A kB of payload beyond the first 100 bytes, written and claimed once (W11). */
  payloadMsPerKb: 0.052,
  /** A durable step (W15, both cores of the machine busy). */
  stepMs: 0.08,
  /** Round trips of a worker for each message, at most, in a trickle (W11). */
  roundTripsPerMessage: 2.7,
  /** Ms from one round trip of a busy worker to the next: as handlers take, but within these bounds (W11). */
  leastPauseMs: 25,
  mostPauseMs: 120,
  /** How long a call holds a connection, in ms (W8). */
  callDurationMs: 12,
  /** CPU of the worker for a message, without its handler's (W10). */
  workerMs: 0.01,
  /** WAL of a message written by 1,000, and alone, in bytes (W11). */
  walBytes: 650,
  walBytesAlone: 690,
  /** WAL for each byte of payload (W11). */
  walPerByte: 1.1,
  /** From the commit to the handler's first line, with an awake tick, in ms (W5). */
  startMs: 20,
  /** Invocations of an hour without messages, and with one a second (W11, W16). */
  idleInvocations: 60,
  trickleInvocations: 180,
} as const;
