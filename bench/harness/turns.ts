/** In which order systems take their turns. */

/**
 * The order of a round in which each system takes one turn. Every other round runs backwards (A B C, C B A,
 * A B C), so that no system always comes first, and a machine that grows slower slows all of them alike.
 */
export function turns<System>(systems: readonly System[], round: number): readonly System[] {
  return round % 2 === 0 ? systems : systems.toReversed();
}
