// The node message of an xDS client in the mesh's terms.
// https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig and istio's node metadata
import type { Node } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import type { ProxyNode } from '../mesh/index.ts';
import { formatLocality } from '../registry/index.ts';

type Metadata = Readonly<Record<string, unknown>>;

/** Undefined when the id is not of Istio's form `TYPE~IP~NAME.NAMESPACE~DOMAIN`. */
export function proxyNode(node: Node): ProxyNode | undefined {
  const [type, ip, id, domain] = node.id.split('~');
  if ((type !== 'sidecar' && type !== 'router') || !ip || !id || domain === undefined) return undefined;
  const metadata: Metadata = node.metadata ?? {};
  const dot = id.lastIndexOf('.');
  const namespace = text(metadata['NAMESPACE']) || id.slice(dot + 1);
  return {
    id: node.id,
    type,
    name: text(metadata['NAME']) || id.slice(0, dot),
    namespace,
    addresses: addressesOf(ip, text(metadata['INSTANCE_IPS'])),
    labels: labelsOf(metadata['LABELS']),
    serviceAccount: text(metadata['SERVICE_ACCOUNT']) || 'default',
    clusterId: text(metadata['CLUSTER_ID']) || 'Kubernetes',
    locality: node.locality
      ? formatLocality({
          region: node.locality.region,
          zone: node.locality.zone,
          subzone: node.locality.subZone,
        })
      : '',
    nodeName: text(metadata['NODE_NAME']) || undefined,
    network: text(metadata['NETWORK']),
    captured: text(metadata['INTERCEPTION_MODE']) !== 'NONE',
    applicationPorts: portsOf(metadata['APPLICATION_PORTS']),
    httpProxyPort: Number(text(metadata['HTTP_PROXY_PORT']) || 0),
    capturesDns: text(metadata['DNS_CAPTURE']) === 'true',
    isGrpc: text(metadata['GENERATOR']) === 'grpc',
  };
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The WorkloadGroup that the proxy joins by connecting; empty for none. */
export function autoRegisterGroup(node: Node): string {
  return text(node.metadata?.['AUTO_REGISTER_GROUP']);
}

function addressesOf(ip: string, all: string): readonly string[] {
  return [...new Set([ip, ...all.split(',').map((item) => item.trim())])].filter((item) => item !== '');
}

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, label]) => (typeof label === 'string' ? [[key, label]] : [])),
  );
}

/** `{"9080": 31080}`: the proxy listens on 9080 for an application on 31080. */
function portsOf(value: unknown): ReadonlyMap<number, number> {
  if (typeof value !== 'object' || value === null) return new Map();
  return new Map(Object.entries(value).map(([port, application]) => [Number(port), Number(application)]));
}
