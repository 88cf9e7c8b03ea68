// ServiceEntry objects as services of the mesh: one service a host.
import { type Origin, within } from '../base/index.ts';
import type { ConfigObject, ServiceEntry } from '../config/index.ts';
import { isWildcard } from './hostname.ts';
import { parseProtocol } from './protocol.ts';
import type { Resolution, Service, ServicePort } from './service.ts';
import { trafficDistributionOf } from './traffic-distribution.ts';

export type ServiceEntryObject = ConfigObject<'ServiceEntry', ServiceEntry>;

/** `"false"` on a ServiceEntry: it gets no address. */
const enabledLabel = 'networking.istio.io/enable-autoallocate-ip';

export function hostsOfEntry(object: ServiceEntryObject): readonly string[] {
  return (object.spec.hosts ?? []).map((host) => host.toLowerCase());
}

/** `inherited` are the annotations of its namespace. */
export function serviceFromEntry(
  object: ServiceEntryObject,
  hostname: string,
  inherited: Readonly<Record<string, string>>,
): Service {
  const { metadata, spec } = object;
  return {
    key: `${metadata.namespace}/${hostname}`,
    hostname,
    namespace: metadata.namespace,
    name: metadata.name,
    source: 'service-entry',
    createdAt: metadata.creationTimestamp,
    ports: (spec.ports ?? []).map((port, index) =>
      toPort(port, within(object.origin, `spec.ports[${index}]`)),
    ),
    addresses: (spec.addresses ?? []).filter((address) => address !== '').map(withoutFullPrefix),
    allocatedAddresses: needsAddress(object, hostname) ? statusAddresses(object, hostname) : [],
    resolution: resolutionOf(spec),
    headless: false,
    selectsWorkloads: Object.keys(spec.workloadSelector?.labels ?? {}).length > 0,
    meshExternal: spec.location !== 'MESH_INTERNAL',
    exportTo: spec.exportTo ?? [],
    trafficDistribution: trafficDistributionOf(undefined, metadata.annotations, inherited),
    subjectAltNames: spec.subjectAltNames ?? [],
    labels: metadata.labels ?? {},
    serviceAccounts: [],
    origin: object.origin,
  };
}

/** A range of one address is that address. */
function withoutFullPrefix(text: string): string {
  const [address = '', length] = text.split('/');
  return length === (address.includes(':') ? '128' : '32') ? address : text;
}

function toPort(port: NonNullable<ServiceEntry['ports']>[number], origin: Origin): ServicePort {
  return {
    name: port.name ?? '',
    number: port.number ?? 0,
    protocol: parseProtocol(port.protocol),
    targetPort: port.targetPort || undefined,
    origin,
  };
}

function resolutionOf(spec: ServiceEntry): Resolution {
  switch (spec.resolution) {
    case 'STATIC':
      return 'static';
    case 'DNS':
      return 'dns';
    case 'DNS_ROUND_ROBIN':
      return 'dns-round-robin';
    case 'DYNAMIC_DNS':
      return 'dynamic-dns';
    default:
      return 'original-destination';
  }
}

/**
 * Whether a host of an entry gets an address: where nobody knows which address was dialled, none would help.
 */
export function needsAddress({ metadata, spec }: ServiceEntryObject, host: string): boolean {
  return (
    !spec.addresses?.length &&
    (spec.resolution ?? 'NONE') !== 'NONE' &&
    !isWildcard(host) &&
    metadata.labels[enabledLabel]?.toLowerCase() !== 'false'
  );
}

/**
 * What the status of an entry says of a host: allocated by a controller in the cluster that the entry comes
 * from.
 */
export function statusAddresses({ spec }: ServiceEntryObject, host: string): readonly string[] {
  return (spec.status?.addresses ?? []).flatMap(({ host: own, value }) =>
    value && (own ?? host).toLowerCase() === host ? [value] : [],
  );
}
