// Weights of destinations.
import type { Path, RuleContext } from '../schema/index.ts';

export function checkWeights(destinations: readonly { readonly weight?: number }[] | undefined, path: Path, context: RuleContext): void {
  const weights = (destinations ?? []).map(({ weight = 0 }) => weight);
  weights.forEach((weight, i) => {
    if (weight < 0) context.report('MT0114', [...path, i, 'weight'], `{} cannot be negative (${weight})`);
  });
  if (weights.length > 1 && weights.every((weight) => weight === 0))
    context.report('MT0114', path, 'the weights in {} add up to 0: no destination would be chosen');
}
