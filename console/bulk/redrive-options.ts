/** The options of a redrive as they are typed. */

/** Texts of the form; an empty one is not given. */
export interface RedriveOptions {
  readonly perSecond: string;
  readonly toQueue: string;
  readonly from: string;
}

/** Nothing is typed yet. */
export const NO_OPTIONS: RedriveOptions = { perSecond: "", toQueue: "", from: "" };

/** Why options cannot be; the API decides about the rest. */
export function problemsOf(options: RedriveOptions): Partial<Record<keyof RedriveOptions, string>> {
  const perSecond = Number(options.perSecond);
  const isRate = options.perSecond.trim() === "" || (perSecond >= 0.001 && perSecond <= 1_000_000);
  const toQueue = options.toQueue.trim();
  return {
    ...(!isRate && { perSecond: "has to be a number from 0.001 to 1,000,000" }),
    ...(!/^[A-Za-z0-9_.:-]{0,100}$/.test(toQueue) && {
      toQueue: "has to be at most 100 letters, digits or _ . : -",
    }),
    ...(options.from.length > 255 && { from: "has to be at most 255 characters" }),
  };
}

/** The fields of the request. */
export function toBody({ perSecond, toQueue, from }: RedriveOptions): Record<string, unknown> {
  return {
    ...(perSecond.trim() !== "" && { perSecond: Number(perSecond) }),
    ...(toQueue.trim() !== "" && { toQueue: toQueue.trim() }),
    ...(from.trim() !== "" && { from: from.trim() }),
  };
}
