// What of a proxyless gRPC application decides its resources.
import { audienceKey, type Mesh, type MutualTlsMode, type ProxyNode } from '../../mesh/index.ts';
import { inboundPlan } from '../listeners/inbound-plan.ts';

/** Plain text parts, as in the view of a proxy. */
export interface GrpcView {
  readonly type: 'grpc';
  readonly audience: string;
  /** With the locality: endpoints and their clusters. */
  readonly locatedAudience: string;
  /** JSON of the ports that it serves itself, each with whether clients must show a certificate. */
  readonly servedPorts: string;
}

type ServedPorts = readonly (readonly [port: number, mutualTls: boolean])[];

const tlsModeLabel = 'security.istio.io/tlsMode';

export function grpcViewOf(mesh: Mesh, application: ProxyNode): GrpcView {
  const node = mesh.known(application);
  const client: ProxyNode = { ...node, type: 'sidecar', captured: true };
  const labelled = node.labels[tlsModeLabel] === 'istio';
  const ports: ServedPorts = inboundPlan(mesh, node).ports.map(({ port, mutualTls }) => [
    port,
    requiresTls(mutualTls, labelled),
  ]);
  return {
    type: 'grpc',
    audience: audienceKey(mesh.audienceOf(client)),
    locatedAudience: audienceKey(mesh.locatedAudienceOf(client)),
    servedPorts: JSON.stringify(ports),
  };
}

/** Undefined for a port of no service. */
export function tlsOfServedPort(view: string, port: number): boolean | undefined {
  return (JSON.parse(view) as ServedPorts).find(([served]) => served === port)?.[1];
}

// A gRPC server cannot serve both: one whose label makes clients use mutual TLS takes it, another one plain
// text.
function requiresTls(mode: MutualTlsMode, labelled: boolean): boolean {
  return mode === 'STRICT' || (mode === 'PERMISSIVE' && labelled);
}
