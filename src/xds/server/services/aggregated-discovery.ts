// All types of resources over one stream.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#aggregated-discovery-service
import type { DiscoveryStreams } from '../discovery-streams.ts';
import type { GrpcService } from '../grpc-service.ts';

export function aggregatedDiscovery({ sotw, delta }: DiscoveryStreams): GrpcService {
  return {
    name: 'envoy.service.discovery.v3.AggregatedDiscoveryService',
    methods: { StreamAggregatedResources: sotw, DeltaAggregatedResources: delta },
  };
}
