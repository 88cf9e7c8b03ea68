// Whether something with a chance comes about.

/** Draws only when the outcome is open. */
export function drawn(chance: number, random: () => number): boolean {
  return chance >= 1 || (chance > 0 && random() < chance);
}
