// Kubernetes Service objects as services of the mesh.
import { type Origin, within } from '../base/index.ts';
import type { ConfigObject, KubeService } from '../config/index.ts';
import { kubernetesHost } from './hostname.ts';
import { protocolOfPort } from './protocol.ts';
import type { Resolution, Service, ServicePort } from './service.ts';
import { trafficDistributionOf } from './traffic-distribution.ts';

export type KubeServiceObject = ConfigObject<'Service', KubeService>;

export interface ServiceSurroundings {
  readonly domain: string;
  /** Annotations of the namespace, which services inherit. */
  readonly inherited: Readonly<Record<string, string>>;
}

export function serviceFromKubernetes(
  object: KubeServiceObject,
  { domain, inherited }: ServiceSurroundings,
): Service {
  const { metadata, spec } = object;
  const hostname = kubernetesHost(metadata.name, metadata.namespace, domain);
  const annotations = metadata.annotations ?? {};
  return {
    key: `${metadata.namespace}/${hostname}`,
    hostname,
    namespace: metadata.namespace,
    name: metadata.name,
    source: 'kubernetes',
    createdAt: metadata.creationTimestamp,
    ports: (spec.ports ?? []).flatMap((port, index) =>
      port.protocol === 'UDP' ? [] : [toPort(port, within(object.origin, `spec.ports[${index}]`))],
    ),
    addresses: addressesOf(spec),
    resolution: resolutionOf(spec),
    headless: spec.clusterIP === 'None',
    meshExternal: false,
    exportTo: splitList(annotations['networking.istio.io/exportTo']),
    subjectAltNames: [],
    trafficDistribution: trafficDistributionOf(spec.trafficDistribution, annotations, inherited),
    nodeLocal: spec.internalTrafficPolicy === 'Local',
    externalName: spec.type === 'ExternalName' ? spec.externalName : undefined,
    labels: metadata.labels ?? {},
    serviceAccounts: splitList(annotations['alpha.istio.io/canonical-serviceaccounts']),
    origin: object.origin,
  };
}

function toPort(port: NonNullable<KubeService['ports']>[number], origin: Origin): ServicePort {
  return {
    name: port.name ?? '',
    number: port.port,
    protocol: protocolOfPort(port),
    targetPort: port.targetPort || undefined,
    origin,
  };
}

function addressesOf(spec: KubeService): readonly string[] {
  const all = spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? ''];
  return all.filter((address) => address !== 'None' && address !== '');
}

function resolutionOf(spec: KubeService): Resolution {
  if (spec.type === 'ExternalName') return 'alias';
  return spec.clusterIP === 'None' ? 'original-destination' : 'static';
}

function splitList(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
