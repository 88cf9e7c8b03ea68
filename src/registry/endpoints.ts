// The endpoints behind a service: EndpointSlices, inline endpoints of service entries, and selected workload
// entries and pods.
import ipaddr from 'ipaddr.js';
import type { EndpointSlice, WorkloadEntry } from '../config/index.ts';
import { type ConfigStore, keyOf, type ObjectOf } from './config-store.ts';
import { podHealth, podPort } from './kubernetes-pods.ts';
import { localityLabel, localityOfPod, withPlace } from './locality.ts';
import type { Endpoint, EndpointHealth, Service, ServicePort } from './service.ts';

type SliceEndpoint = NonNullable<EndpointSlice['endpoints']>[number];

const tlsModeLabel = 'security.istio.io/tlsMode';

export function endpointsOf(service: Service, store: ConfigStore): readonly Endpoint[] {
  return service.source === 'kubernetes'
    ? kubernetesEndpoints(service, store)
    : entryEndpoints(service, store);
}

function kubernetesEndpoints(service: Service, store: ConfigStore): readonly Endpoint[] {
  const slices = inOrder(store.slicesOfService.get(`${service.namespace}/${service.name}`));
  const sliced = onceEach(slices.flatMap((slice) => sliceEndpoints(service, slice, store)));
  const object = store.table('Service').get(`${service.namespace}/${service.name}`);
  const selector = object?.spec.selector ?? {};
  if (!object || Object.keys(selector).length === 0) return sliced;
  // By addresses alone: names and sockets are for service entries.
  const addressed = store.workloadsOfNamespace
    .get(service.namespace)
    .filter(({ spec }) => ipaddr.isValid(spec.address ?? ''));
  const selected = addressed.filter((entry) => selects(selector, labelsOfWorkload(entry)));
  const workloads = inOrder(selected).flatMap((entry) =>
    workloadEndpoints(
      { ...service, portOf: namedPort },
      { ...entry.spec, labels: labelsOfWorkload(entry) },
      entry.metadata.namespace,
      entry.metadata.name,
    ),
  );
  return [...(slices.length > 0 ? sliced : unslicedEndpoints(service, object, store)), ...workloads];
}

/** While Kubernetes moves an endpoint, two slices have it. */
function onceEach(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const known = new Set<string>();
  return endpoints.filter(({ servicePort, address, port }) => {
    const key = `${servicePort} ${address} ${port}`;
    return !known.has(key) && known.add(key);
  });
}

/** By name, whatever the order of arrival: the same objects give the same endpoints in the same order. */
function inOrder<T extends { readonly metadata: { readonly namespace: string; readonly name: string } }>(
  objects: readonly T[],
): readonly T[] {
  if (objects.length < 2) return objects;
  return [...objects].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function unslicedEndpoints(
  service: Service,
  { spec }: ObjectOf<'Service'>,
  store: ConfigStore,
): readonly Endpoint[] {
  const pods = store.podsOfNamespace
    .get(service.namespace)
    .filter((pod) => selects(spec.selector ?? {}, pod.metadata.labels));
  return inOrder(pods).flatMap((pod) => {
    const health = podHealth(pod, spec.publishNotReadyAddresses ?? false);
    if (!health) return [];
    const identity = identityOfPod(pod, store);
    return service.ports.flatMap((servicePort) => {
      const port = podPort(pod, servicePort);
      const address = pod.spec.status?.podIP ?? '';
      return port === undefined
        ? []
        : [{ ...identity, address, servicePort: servicePort.name, port, network: '', weight: 0, health }];
    });
  });
}

function sliceEndpoints(
  service: Service,
  slice: ObjectOf<'EndpointSlice'>,
  store: ConfigStore,
): readonly Endpoint[] {
  return (slice.spec.endpoints ?? []).flatMap((item) => {
    const health = healthOf(item);
    if (!health) return [];
    return (slice.spec.ports ?? []).flatMap((slicePort) => {
      const servicePort = service.ports.find((port) => port.name === (slicePort.name ?? ''));
      if (!servicePort || slicePort.port === undefined) return [];
      return (item.addresses ?? []).map((address) => ({
        ...podIdentity(item.targetRef, { address, namespace: slice.metadata.namespace }, store),
        address,
        servicePort: servicePort.name,
        port: slicePort.port ?? 0,
        network: '',
        weight: 0,
        health,
      }));
    });
  });
}

/**
 * Undefined for one that is about to go and serves nobody any more. Of one that is not ready, what is not
 * said is taken for true.
 */
function healthOf({ conditions = {} }: SliceEndpoint): EndpointHealth | undefined {
  if (conditions.ready !== false) return 'healthy';
  if (conditions.terminating === false) return 'unhealthy';
  return conditions.serving === false ? undefined : 'draining';
}

type Identity = Pick<
  Endpoint,
  'labels' | 'namespace' | 'workload' | 'serviceAccount' | 'locality' | 'tlsMode' | 'nodeName'
>;

/** Nothing is known of an endpoint but what its pod says: not the node either. */
function podIdentity(
  target: SliceEndpoint['targetRef'],
  at: { address: string; namespace: string },
  store: ConfigStore,
): Identity {
  const byName =
    target?.kind === 'Pod'
      ? store.table('Pod').get(`${target.namespace ?? at.namespace}/${target.name ?? ''}`)
      : undefined;
  const pod =
    byName ?? store.podsOfAddress.get(at.address).find(({ metadata }) => metadata.namespace === at.namespace);
  return pod
    ? identityOfPod(pod, store)
    : { labels: {}, namespace: at.namespace, workload: '', locality: '', tlsMode: 'disabled' };
}

function identityOfPod(pod: ObjectOf<'Pod'>, store: ConfigStore): Identity {
  const { labels, namespace, name } = pod.metadata;
  const { nodeName } = pod.spec;
  const locality = localityOfNode(nodeName, labels, store);
  return {
    labels: withPlace(labels, { locality, nodeName }),
    namespace,
    workload: name,
    serviceAccount: pod.spec.serviceAccountName ?? 'default',
    locality,
    tlsMode: labels[tlsModeLabel] === 'istio' ? 'istio' : 'disabled',
    nodeName,
  };
}

export function localityOfNode(
  name: string | undefined,
  labels: Readonly<Record<string, string>>,
  store: ConfigStore,
): string {
  const node = name ? store.table('Node').get(`/${name}`) : undefined;
  return localityOfPod(labels, node?.metadata.labels);
}

function entryEndpoints(service: Service, store: ConfigStore): readonly Endpoint[] {
  const entries = store.entryHosts
    .get(service.hostname)
    .filter((entry) => entry.metadata.namespace === service.namespace);
  return inOrder(entries).flatMap((entry) => endpointsOfEntry(service, entry, store));
}

function endpointsOfEntry(
  service: Service,
  entry: ObjectOf<'ServiceEntry'>,
  store: ConfigStore,
): readonly Endpoint[] {
  const names = new Set((entry.spec.ports ?? []).map((port) => port.name));
  const own = { ...service, ports: service.ports.filter((port) => names.has(port.name)) };
  const selector = entry.spec.workloadSelector?.labels;
  if (selector) return selectedEndpoints(own, selector, store);
  const inline = (entry.spec.endpoints ?? []).flatMap((endpoint) =>
    workloadEndpoints(own, endpoint, entry.metadata.namespace, entry.metadata.name),
  );
  if (inline.length > 0 || !(service.resolution === 'dns' || service.resolution === 'dns-round-robin'))
    return inline;
  return workloadEndpoints(own, { address: service.hostname }, entry.metadata.namespace, entry.metadata.name);
}

function selectedEndpoints(
  service: Service,
  selector: Readonly<Record<string, string>>,
  store: ConfigStore,
): readonly Endpoint[] {
  // An empty selector selects nothing, unlike everywhere else: https://github.com/istio/istio/pull/44159
  if (Object.keys(selector).length === 0) return [];
  const workloads = store.workloadsOfNamespace
    .get(service.namespace)
    .filter((entry) => selects(selector, labelsOfWorkload(entry)));
  const pods = store.podsOfNamespace
    .get(service.namespace)
    .filter((pod) => selects(selector, pod.metadata.labels));
  return [
    ...inOrder(workloads).flatMap((entry) =>
      workloadEndpoints(
        service,
        { ...entry.spec, labels: labelsOfWorkload(entry) },
        entry.metadata.namespace,
        entry.metadata.name,
      ),
    ),
    ...inOrder(pods).flatMap((pod) => podEndpoints(service, pod, store)),
  ];
}

/** A service entry has no names for ports of containers, and takes ready pods only. */
function podEndpoints(service: Service, pod: ObjectOf<'Pod'>, store: ConfigStore): readonly Endpoint[] {
  if (podHealth(pod, false) !== 'healthy') return [];
  const identity = identityOfPod(pod, store);
  return service.ports.map((port) => ({
    ...identity,
    address: pod.spec.status?.podIP ?? '',
    servicePort: port.name,
    port: numericTarget(port),
    network: '',
    weight: 0,
    health: 'healthy',
  }));
}

interface WorkloadService extends Service {
  /**
   * The port that a workload serves a port on; undefined when it does not serve it. That of service entries
   * when left out.
   */
  readonly portOf?: (entry: WorkloadEntry, port: ServicePort) => number | undefined;
}

/** The endpoints, one a port, that a workload entry (or an inline endpoint) gives a service. */
function workloadEndpoints(
  service: WorkloadService,
  entry: WorkloadEntry,
  namespace: string,
  workload: string,
): readonly Endpoint[] {
  const { labels: own = {}, network = '' } = entry;
  const { portOf = entryPort } = service;
  const locality = entry.locality || localityLabel(own);
  const labels = withPlace(own, { locality, network });
  const unix = entry.address?.startsWith('unix://') ?? false;
  if (!entry.address && !entry.network) return [];
  return service.ports.flatMap((port) => {
    const number = portOf(entry, port);
    if (number === undefined) return [];
    const endpoint: Endpoint = {
      address: unix ? (entry.address ?? '').slice('unix://'.length) : (entry.address ?? ''),
      unix,
      servicePort: port.name,
      port: number,
      labels,
      namespace,
      workload,
      serviceAccount: entry.serviceAccount || undefined,
      locality,
      network,
      weight: entry.weight ?? 0,
      tlsMode: tlsModeOf(own, service, entry),
      health: 'healthy',
    };
    return [endpoint];
  });
}

function entryPort(entry: WorkloadEntry, port: ServicePort): number {
  return entry.ports?.[port.name] || numericTarget(port);
}

/**
 * Of a workload behind a Kubernetes service: a target port with a name is the workload's port of that name,
 * and one with a number what the workload says of the service's port, else the number.
 */
function namedPort(
  { ports = {} }: WorkloadEntry,
  { name, number, targetPort }: ServicePort,
): number | undefined {
  if (typeof targetPort === 'string') return ports[targetPort] || undefined;
  return targetPort === undefined ? number : ports[name] || targetPort;
}

function tlsModeOf(
  labels: Readonly<Record<string, string>>,
  service: Service,
  entry: WorkloadEntry,
): Endpoint['tlsMode'] {
  const label = labels[tlsModeLabel];
  if (label !== undefined) return label === 'istio' ? 'istio' : 'disabled';
  return !service.meshExternal && entry.serviceAccount ? 'istio' : 'disabled';
}

function numericTarget(port: ServicePort): number {
  return typeof port.targetPort === 'number' && port.targetPort > 0 ? port.targetPort : port.number;
}

/** The object's own labels go before those that its specification repeats. */
export function labelsOfWorkload(entry: ObjectOf<'WorkloadEntry'>): Readonly<Record<string, string>> {
  return { ...entry.spec.labels, ...entry.metadata.labels };
}

export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}
