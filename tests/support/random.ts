/** Randomness that a test can repeat. */

/** A generator of numbers from 0 up to 1 (mulberry32); the same seed gives the same numbers. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed to use: SYMPHONY_TEST_SEED, to repeat a failure, or one of chance. */
export function chooseSeed(): number {
  const given = Deno.env.get("SYMPHONY_TEST_SEED");
  return given ? Number(given) : Math.floor(Math.random() * 2 ** 32);
}
