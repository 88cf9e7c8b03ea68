// Envoy's fractional percentages as chances in [0, 1].
import type { RuntimeFractionalPercent } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  FractionalPercent_DenominatorType as Denominator,
  type FractionalPercent,
} from '@meltemi/envoy-api/envoy/type/v3/percent';

export function fractionOf(percent: FractionalPercent | undefined): number {
  return percent ? Math.min(1, percent.numerator / denominatorOf(percent.denominator)) : 0;
}

/** Runtime keys have no source here: the default value decides; without one the feature is always on. */
export function runtimeFraction(percent: RuntimeFractionalPercent | undefined): number {
  return percent?.defaultValue ? fractionOf(percent.defaultValue) : 1;
}

function denominatorOf(denominator: Denominator): number {
  switch (denominator) {
    case Denominator.TEN_THOUSAND:
      return 10_000;
    case Denominator.MILLION:
      return 1_000_000;
    default:
      return 100;
  }
}
