/** Capabilities: the promises in which transports differ. The contract suite asks each transport for exactly its own. */

/** The promises of a transport. */
export interface Capabilities {
  /**
   * Where its messages are handled. `here`: workers of this project receive them. `elsewhere`: another project does,
   * and this one only sends.
   */
  readonly received: "here" | "elsewhere";
  /**
   * An outcome under a lease that has moved on. `enforced`: it is refused, and nothing is written. `advisory`: it may
   * be taken, and the message is handled twice.
   */
  readonly fence: "enforced" | "advisory";
  /** Outcomes of one call. `atomic`: all are written in one transaction. `stepwise`: some may be written alone. */
  readonly settle: "atomic" | "stepwise";
  /**
   * Order of a group's messages. `exact`: one after another, in the order of their dispatch, also over retries.
   * `partition`: in the order in which they came in, until one of them is retried. `none`: in any order.
   */
  readonly order: "exact" | "partition" | "none";
  /** Cancel of a message that waits. `at-once`: it is dead at once. `at-delivery`: when a worker gets it. */
  readonly cancel: "at-once" | "at-delivery";
  /** Length of a lease. `per-claim`: as the claim asks. `fixed`: as the transport is set up. */
  readonly lease: "per-claim" | "fixed";
  /** Whether the limits of queues hold over all workers: concurrency, rate, pause, weight. */
  readonly limits: boolean;
  /** Whether the messages that wait can be listed one by one. */
  readonly views: boolean;
  /** Largest message, in bytes of its payload's JSON. */
  readonly maxBytes: number;
}

/** The capabilities of home, which is the Postgres of the project, and of the transport in memory. */
export const HOME_CAPABILITIES: Capabilities = {
  received: "here",
  fence: "enforced",
  settle: "atomic",
  order: "exact",
  cancel: "at-once",
  lease: "per-claim",
  limits: true,
  views: true,
  maxBytes: 8_388_608,
};
