// The discovery services. A service of another kind is one file, here or with its owner, and one entry in the
// list that is given to `startGrpcServer`.
import { DiscoveryStreams, type OpenConnection } from '../discovery-streams.ts';
import type { GrpcService } from '../grpc-service.ts';
import { aggregatedDiscovery } from './aggregated-discovery.ts';
import { secretDiscovery } from './secret-discovery.ts';

export function discoveryServices(open: OpenConnection): readonly GrpcService[] {
  const streams = new DiscoveryStreams(open);
  return [aggregatedDiscovery(streams), secretDiscovery(streams)];
}
