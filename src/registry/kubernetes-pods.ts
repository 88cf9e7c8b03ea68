// The pods behind a Kubernetes service that nobody has made EndpointSlices for: what its endpoint controller
// would find, so that a folder of manifests is enough.
// https://kubernetes.io/docs/concepts/services-networking/service/#endpointslices
import type { ObjectOf } from './config-store.ts';
import type { EndpointHealth, ServicePort } from './service.ts';

type Pod = ObjectOf<'Pod'>;

/**
 * Undefined for a pod that is no endpoint: one without an address, at its end, or about to go and no longer
 * ready.
 */
export function podHealth(pod: Pod, publishNotReady: boolean): EndpointHealth | undefined {
  const { phase, podIP, conditions = [] } = pod.spec.status ?? {};
  if (!podIP || phase === 'Succeeded' || phase === 'Failed') return undefined;
  if (publishNotReady) return 'healthy';
  const ready = conditions.find(({ type }) => type === 'Ready');
  const isReady = ready === undefined || ready.status === 'True';
  if (pod.metadata.deletionTimestamp !== undefined) return isReady ? 'draining' : undefined;
  return isReady ? 'healthy' : 'unhealthy';
}

/**
 * The port that a pod listens on for a port of its service; undefined when the service names one that the pod
 * lacks.
 */
export function podPort(pod: Pod, { number, targetPort = number }: ServicePort): number | undefined {
  if (typeof targetPort === 'number') return targetPort || number;
  const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])];
  const ports = containers.flatMap(({ ports = [] }) => ports);
  return ports.find(({ name, protocol = 'TCP' }) => name === targetPort && protocol === 'TCP')?.containerPort;
}
