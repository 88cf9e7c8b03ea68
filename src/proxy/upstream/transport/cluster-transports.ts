// The transports of a cluster: its own, and those that the metadata of a host can ask for instead.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto#config-cluster-v3-cluster-transportsocketmatch
import type { ClusterPlan } from '../../plan/cluster/cluster-plan.ts';
import type { HostMetadata } from '../../plan/cluster/endpoints-plan.ts';
import { createTransport, type TransportContext } from './create-transport.ts';
import type { Transport } from './transport.ts';

export interface ClusterTransports {
  readonly own: Transport;
  /** Whether the cluster need not wait for any of them. */
  readonly settled: boolean;
  forHost(metadata: HostMetadata): Transport;
}

type TransportFields = Pick<ClusterPlan, 'transport' | 'transportMatches'>;

export function clusterTransports(
  plan: TransportFields,
  context: TransportContext,
  problems: string[],
): ClusterTransports {
  const own = createTransport(plan.transport, context, problems);
  const others = plan.transportMatches.map((one) => ({
    match: Object.entries(one.match),
    transport: createTransport(one.transport, context, problems),
  }));
  return {
    own,
    get settled() {
      return own.settled && others.every(({ transport }) => transport.settled);
    },
    forHost: (metadata) => {
      const wanted = metadata['envoy.transport_socket_match'] ?? {};
      const found = others.find(({ match }) => match.every(([key, value]) => wanted[key] === value));
      return found?.transport ?? own;
    },
  };
}
