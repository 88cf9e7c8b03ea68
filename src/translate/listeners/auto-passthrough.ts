// A gateway's AUTO_PASSTHROUGH: connections of the mesh's own TLS go on to the service that their SNI stands
// for, unopened.
// https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings-TLSmode
import { create } from '@bufbuild/protobuf';
import {
  type FilterChain,
  FilterChainSchema,
} from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import type { Audience, GatewayServer, Mesh } from '../../mesh/index.ts';
import { covers, isWildcard } from '../../registry/index.ts';
import { passedTargets, targetName } from '../outbound-target.ts';
import type { Claims } from './claims.ts';
import { tcpTo } from './tcp-proxy.ts';

/**
 * By which sidecars say that they speak the mesh's TLS. What else has the right SNI must not get to services
 * that would take plain text.
 */
const meshProtocols = ['istio-peer-exchange', 'istio', 'istio-http/1.0', 'istio-http/1.1', 'istio-h2'];

export function autoPassthroughChains(
  mesh: Mesh,
  audience: Audience,
  server: GatewayServer,
  claims: Claims,
): readonly FilterChain[] {
  const services = mesh
    .visibleServices(audience)
    // A wildcard in the middle of a server name matches nothing: Envoy refuses it.
    .filter(
      ({ hostname }) => !isWildcard(hostname) && server.hosts.some(({ host }) => covers(host, hostname)),
    );
  return services
    .flatMap((service) => passedTargets(mesh, audience, service).map(targetName))
    .filter((name) => claims.takeWhole([name]))
    .map((name) =>
      create(FilterChainSchema, {
        filterChainMatch: { serverNames: [name], applicationProtocols: meshProtocols },
        filters: [tcpTo(name, mesh.settings.config)],
      }),
    );
}
