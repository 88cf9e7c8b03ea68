// Among several destinations one without a weight has the weight 0.
import type { Check } from './check.ts';

export const shareOfWeights: Check<'VirtualService'> = {
  kind: 'VirtualService',
  check: (_, { spec }, report) => {
    for (const list of ['http', 'tls', 'tcp'] as const) {
      spec[list]?.forEach(({ route = [] }, i) => {
        if (!route.some(({ weight }) => (weight ?? 0) > 0)) return;
        route.forEach(({ weight, destination }, j) => {
          if (weight !== undefined) return;
          const what = `${destination?.host ?? ''} gets no traffic: it has no weight among destinations with weights`;
          report(
            'MT0403',
            `spec.${list}[${i}].route[${j}]`,
            `${what}; write its share, weight: 0 when that is meant`,
          );
        });
      });
    }
  },
};
