/** Checks of the transports beside home, for health and `doctor`: each is asked for its problems. */

import type { Router } from "../bus/router.ts";
import { readProperty } from "../runtime/inspect.ts";
import { within } from "../runtime/within.ts";
import type { EngineProblem, EngineSender } from "../transport/engine.ts";
import type { Judged } from "./health-check.ts";

/** Longest time of one check, in ms. */
const TIMEOUT_MS = 10_000;
/** How long a result is kept, in ms: uptime monitors ask for the health often. */
const KEPT_MS = 30_000;

/** The checks of a project's transports. */
export class TransportChecks {
  #kept: { readonly until: number; readonly judged: Promise<readonly Judged[]> } | undefined;

  /**
   * @param router undefined if everything goes home
   * @param now a clock, in ms
   */
  constructor(
    private readonly router: Router | undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Judges each transport, at most twice a minute. Never throws. */
  judge(): Promise<readonly Judged[]> {
    const kept = this.#kept;
    if (kept && this.now() < kept.until) return kept.judged;
    const transports = [...this.router?.routes.transports ?? []];
    const judged = Promise.all(transports.map(([name, engine]) => this.#judge(name, engine)));
    this.#kept = { until: this.now() + KEPT_MS, judged };
    return judged;
  }

  /** Forgets what was found: the transports were changed, and are asked again by the next call. */
  forget(): void {
    this.#kept = undefined;
  }

  async #judge(name: string, engine: EngineSender): Promise<Judged> {
    const problems = await this.#ask(name, engine);
    const texts = problems.map(({ name, problem }) => `${name}: ${problem}`);
    return {
      name: `transport ${name}`,
      ok: problems.length === 0,
      found: problems.length === 0 ? 0 : texts.join("; "),
      limit: 0,
      advice: [...new Set(problems.map(({ advice }) => advice))].join(" "),
    };
  }

  async #ask(name: string, engine: EngineSender): Promise<readonly EngineProblem[]> {
    const types = [...this.router?.routes.byType ?? []].flatMap(([type, route]) =>
      route === name ? [type] : []
    );
    const late = () => new Error(`gave no answer within ${TIMEOUT_MS} ms`);
    try {
      return await within(engine.check(types), TIMEOUT_MS, late);
    } catch (error) {
      const problem = String(readProperty(error, "message") ?? error);
      return [{
        name: "check",
        problem,
        advice: "The transport cannot be checked; see its options.",
      }];
    }
  }
}
