// The namespaces whose routes a listener takes.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.RouteNamespaces
import type { GatewayLabelSelector, GatewayListener } from '../../../config/index.ts';
import { type ConfigStore, selects } from '../../../registry/index.ts';
import type { KubeGatewayObject } from './objects.ts';

const nameLabel = 'kubernetes.io/metadata.name';

/** Names, or `*` for all. */
export function allowedNamespaces(
  store: ConfigStore,
  own: string,
  { allowedRoutes }: GatewayListener,
): readonly string[] {
  const { from = 'Same', selector } = allowedRoutes?.namespaces ?? {};
  if (from === 'All') return ['*'];
  if (from === 'Same') return [own];
  if (from !== 'Selector' || !selector) return [];
  return store
    .table('Namespace')
    .values()
    .filter(({ metadata }) => matchesSelector(selector, { [nameLabel]: metadata.name, ...metadata.labels }))
    .map(({ metadata }) => metadata.name)
    .sort();
}

/** Whether ListenerSets of a namespace may add listeners; by default none may. */
export function mayAddListeners(
  store: ConfigStore,
  { metadata, spec }: KubeGatewayObject,
  namespace: string,
): boolean {
  const { from = 'None', selector } = spec.allowedListeners?.namespaces ?? {};
  if (from === 'All') return true;
  if (from === 'Same') return namespace === metadata.namespace;
  if (from !== 'Selector' || !selector) return false;
  const labels = store.table('Namespace').get(`/${namespace}`)?.metadata.labels ?? {};
  return matchesSelector(selector, { [nameLabel]: namespace, ...labels });
}

/**
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements
 */
export function matchesSelector(
  { matchLabels = {}, matchExpressions = [] }: GatewayLabelSelector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return selects(matchLabels, labels) && matchExpressions.every((requirement) => meets(requirement, labels));
}

type Requirement = NonNullable<GatewayLabelSelector['matchExpressions']>[number];

function meets(
  { key, operator, values = [] }: Requirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
