// A fault without a share of requests is injected into none, although its documents read otherwise.
import type { Check } from './check.ts';

export const faultShare: Check<'VirtualService'> = {
  kind: 'VirtualService',
  check: (_, { spec }, report) => {
    spec.http?.forEach(({ fault }, i) => {
      for (const kind of ['delay', 'abort'] as const) {
        const one = fault?.[kind];
        if (one && one.percentage === undefined && one.percent === undefined)
          report(
            'MT0404',
            `spec.http[${i}].fault.${kind}`,
            `this ${kind} never happens: it has no share of requests; write percentage: {value: 100}`,
          );
      }
    });
  },
};
