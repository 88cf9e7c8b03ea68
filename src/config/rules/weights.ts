// Weights of destinations.
import type { Path, RuleContext } from '../schema/index.ts';

/** Envoy adds weights up in 32 bits. */
const heaviest = 4_294_967_295;

export function checkWeights(
  destinations: readonly { readonly weight?: number }[] | undefined,
  path: Path,
  context: RuleContext,
): void {
  const weights = (destinations ?? []).map(({ weight = 0 }) => weight);
  weights.forEach((weight, i) => {
    if (weight < 0) context.report('MT0114', [...path, i, 'weight'], `{} cannot be negative (${weight})`);
  });
  // https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#envoy-v3-api-field-config-route-v3-weightedcluster-clusters
  if (weights.reduce((sum, weight) => sum + weight, 0) > heaviest)
    context.report('MT0114', path, `the weights in {} add up to more than ${heaviest}`);
  if (weights.length > 1 && weights.every((weight) => weight === 0))
    context.report('MT0114', path, 'the weights in {} add up to 0: no destination would be chosen');
}
