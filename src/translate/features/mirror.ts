// Mirroring: copies of requests whose answers nobody waits for.
import type { RouteAction_RequestMirrorPolicySchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { Destination, HTTPRoute } from '../../config/index.ts';
import { fractionalPercent, type Init } from '../wire.ts';

type MirrorInit = Init<typeof RouteAction_RequestMirrorPolicySchema>;

export function mirrorPolicies(
  route: HTTPRoute,
  cluster: (destination: Destination) => string,
): MirrorInit[] {
  const single = route.mirror
    ? [
        {
          destination: route.mirror,
          percent: route.mirrorPercentage?.value ?? (route.mirrorPercentage ? 0 : route.mirrorPercent),
        },
      ]
    : [];
  const several = (route.mirrors ?? []).map((mirror) => ({
    destination: mirror.destination,
    percent: mirror.percentage?.value ?? (mirror.percentage ? 0 : undefined),
  }));
  return [...single, ...several].flatMap(({ destination, percent }) =>
    destination && percent !== 0 ? [mirrorPolicy(cluster(destination), percent ?? 100)] : [],
  );
}

function mirrorPolicy(cluster: string, percent: number): MirrorInit {
  return {
    cluster,
    runtimeFraction: { defaultValue: fractionalPercent(percent) },
    traceSampled: false,
    disableShadowHostSuffixAppend: true,
  };
}
