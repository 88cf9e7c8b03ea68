// Secrets, which come by a service of their own as well: its streams are the same, and their clients ask for
// one type only. https://www.envoyproxy.io/docs/envoy/latest/configuration/security/secret
import type { DiscoveryStreams } from '../discovery-streams.ts';
import type { GrpcService } from '../grpc-service.ts';

export function secretDiscovery({ sotw, delta }: DiscoveryStreams): GrpcService {
  return {
    name: 'envoy.service.secret.v3.SecretDiscoveryService',
    methods: { StreamSecrets: sotw, DeltaSecrets: delta },
  };
}
