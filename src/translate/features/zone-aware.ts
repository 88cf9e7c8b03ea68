// Zone-aware balancing: Envoy keeps to the proxy's own zone as far as its hosts can carry the load.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/zone_aware
import type { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type { LoadBalancerSettings, MeshConfig, ZoneAwareLoadBalancerSetting } from '../../config/index.ts';
import type { Service } from '../../registry/index.ts';
import type { Init } from '../wire.ts';

type CommonLb = NonNullable<Init<typeof ClusterSchema>['commonLbConfig']>;

/** The setting in force, if it is what decides: a rule's own before the service's wish before the mesh's. */
export function zoneAwareSetting(
  own: LoadBalancerSettings | undefined,
  service: Pick<Service, 'trafficDistribution'>,
  mesh: MeshConfig,
): ZoneAwareLoadBalancerSetting | undefined {
  if (own?.zoneAwareLbSetting) return own.zoneAwareLbSetting;
  return own?.localityLbSetting || service.trafficDistribution ? undefined : mesh.zoneAwareLbSetting;
}

/**
 * It takes effect at proxies whose bootstrap names the cluster that they are in. Switched off has to be said:
 * Envoy's default is on.
 */
export function zoneAware({
  enabled,
  minClusterSize,
}: ZoneAwareLoadBalancerSetting): Pick<CommonLb, 'localityConfigSpecifier'> {
  return {
    localityConfigSpecifier: {
      case: 'zoneAwareLbConfig',
      value: {
        routingEnabled: enabled === false ? { value: 0 } : undefined,
        minClusterSize: minClusterSize === undefined ? undefined : BigInt(minClusterSize),
      },
    },
  };
}
