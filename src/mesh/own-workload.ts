// What the resources say of a proxy's own workload, which goes before what the proxy says of itself.
import {
  type ConfigStore,
  labelsOfWorkload,
  localityLabel,
  localityOfNode,
  localityOfProxy,
  type ObjectOf,
  withPlace,
} from '../registry/index.ts';
import type { ProxyNode } from './proxy.ts';

/** The proxy with the labels, the locality and the node of its Pod or WorkloadEntry, where there is one. */
export function knownProxy(store: ConfigStore, node: ProxyNode): ProxyNode {
  const pod = ownPod(store, node);
  if (pod) {
    const nodeName = node.nodeName ?? pod.spec.nodeName;
    const locality = localityOfNode(pod.spec.nodeName, pod.metadata.labels, store);
    return placed({ ...node, nodeName }, withPlace(pod.metadata.labels, { locality }));
  }
  const entry = ownEntry(store, node);
  if (!entry) return placed(node, node.labels);
  const labels = labelsOfWorkload(entry);
  return placed(node, withPlace(labels, { locality: entry.spec.locality || localityLabel(labels) }));
}

function placed(node: ProxyNode, labels: ProxyNode['labels']): ProxyNode {
  return { ...node, labels, locality: localityOfProxy(labels) || node.locality };
}

/** By the name in its id, else by its first address: both addresses of a pod are the same pod's. */
function ownPod(store: ConfigStore, node: ProxyNode): ObjectOf<'Pod'> | undefined {
  const { id, namespace, addresses } = node;
  const [name = '', home, ...rest] = (id.split('~')[2] ?? '').split('.');
  const named =
    home === namespace && rest.length === 0 ? store.table('Pod').get(`${namespace}/${name}`) : undefined;
  return named ?? (sharesAddress(node) ? undefined : store.podsOfAddress.get(addresses[0] ?? '')[0]);
}

function ownEntry(store: ConfigStore, node: ProxyNode): ObjectOf<'WorkloadEntry'> | undefined {
  if (sharesAddress(node)) return undefined;
  const there = node.addresses.flatMap((address) => store.workloadsOfAddress.get(address));
  return there.find(({ metadata }) => metadata.namespace === node.namespace);
}

// Workloads of one machine that tell each other apart by their ports, as on a laptop.
function sharesAddress({ applicationPorts }: ProxyNode): boolean {
  return applicationPorts.size > 0;
}
