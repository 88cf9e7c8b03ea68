// Which mirrors a request goes to.
import type { MirrorPlan } from '../../plan/route/route-plan.ts';
import type { MirrorDecision } from './decision.ts';
import { drawn } from './fraction.ts';

export function decideMirrors(
  mirrors: readonly MirrorPlan[],
  random: () => number,
): readonly MirrorDecision[] {
  return mirrors.map((mirror) => ({ mirror, drawn: drawn(mirror.fraction, random) }));
}

/** Whether each request has to draw. */
export function hasOpenMirrors(mirrors: readonly MirrorPlan[]): boolean {
  return mirrors.some(({ fraction }) => fraction > 0 && fraction < 1);
}
