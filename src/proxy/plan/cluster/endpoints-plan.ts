// The endpoints of a cluster, as its own message or one of EDS lists them.
import { HealthStatus } from '@meltemi/envoy-api/envoy/config/core/v3/health_check';
import type {
  LbEndpoint,
  LocalityLbEndpoints,
} from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint_components';
import { type HostPort, readAddress } from '../../codec/address.ts';

/** `draining` takes no new requests and does not count: its priority is as healthy as the other hosts are. */
export type Health = 'healthy' | 'degraded' | 'unhealthy' | 'draining';

/** By the name of who it is for. */
export type HostMetadata = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface EndpointPlan {
  readonly address: HostPort;
  readonly hostname: string;
  /** 1 or more. */
  readonly weight: number;
  readonly health: Health;
  readonly metadata: HostMetadata;
}

export interface LocalityPlan {
  /** `region/zone/subzone`. */
  readonly locality: string;
  readonly priority: number;
  /** 0 takes no traffic where localities are weighted. */
  readonly weight: number;
  readonly endpoints: readonly EndpointPlan[];
}

export function planEndpoints(groups: readonly LocalityLbEndpoints[]): readonly LocalityPlan[] {
  return groups.map((group) => ({
    locality: [group.locality?.region, group.locality?.zone, group.locality?.subZone].join('/'),
    priority: group.priority,
    weight: group.loadBalancingWeight ?? 0,
    endpoints: group.lbEndpoints.flatMap((endpoint) => planEndpoint(endpoint) ?? []),
  }));
}

function planEndpoint(source: LbEndpoint): EndpointPlan | undefined {
  const identity = source.hostIdentifier;
  if (identity.case !== 'endpoint') return undefined;
  const address = readAddress(identity.value.address);
  return (
    address && {
      address,
      hostname: identity.value.hostname,
      weight: source.loadBalancingWeight ?? 1,
      health: healthOf(source.healthStatus),
      metadata: source.metadata?.filterMetadata ?? noMetadata,
    }
  );
}

const noMetadata: HostMetadata = {};

function healthOf(status: HealthStatus): Health {
  switch (status) {
    case HealthStatus.UNHEALTHY:
    case HealthStatus.TIMEOUT:
      return 'unhealthy';
    case HealthStatus.DRAINING:
      return 'draining';
    case HealthStatus.DEGRADED:
      return 'degraded';
    default:
      return 'healthy';
  }
}
