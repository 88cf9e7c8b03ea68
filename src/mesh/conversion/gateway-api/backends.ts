// Where a backend reference leads to.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.BackendRef
import type { Destination } from '../../../config/index.ts';
import { type ConfigStore, kubernetesHost } from '../../../registry/index.ts';
import { istioGroup, type RouteKind } from './objects.ts';
import type { Attempt } from './problem.ts';
import { mayRefer } from './references.ts';

/** A host that no cluster is made for: HTTP requests get 500, connections are closed. */
export const nowhere = 'UnknownService';

export interface BackendReference {
  readonly group?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly port?: number;
}

/** Where a reference of one route leads to; nowhere when it is not allowed or not understood. */
export type ResolveBackend = (reference: BackendReference) => Attempt<Destination>;

export interface BackendScope {
  readonly store: ConfigStore;
  readonly kind: RouteKind;
  readonly namespace: string;
  /** Routes of the mesh choose among services that their clients reach anyway: they need no grant. */
  readonly needsGrant: boolean;
}

const serviceImports = 'multicluster.x-k8s.io';

export function backendResolver(scope: BackendScope): ResolveBackend {
  return (reference) => {
    const { group = '', kind = 'Service', name = '', port } = reference;
    const destination: Destination = {
      host: nowhere,
      port: port === undefined ? undefined : { number: port },
    };
    const fails = (reason: string, message: string): Attempt<Destination> => ({
      value: destination,
      problem: { reason, message },
    });
    const isService =
      (kind === 'Service' && group === '') || (kind === 'ServiceImport' && group === serviceImports);
    const isHostname = kind === 'Hostname' && group === istioGroup;
    const namespace = reference.namespace ?? scope.namespace;
    if (scope.needsGrant && !mayRefer(scope.store, scope, { group, kind, namespace, name }))
      return fails(
        'RefNotPermitted',
        `no ReferenceGrant in ${namespace} lets a ${scope.kind} of ${scope.namespace} name ${kind} ${name}`,
      );
    if (!isService && !isHostname)
      return fails('InvalidKind', `backends of kind ${kind} and group "${group}" are not supported`);
    const unusable = isHostname ? hostnameFault(reference) : serviceFault(name);
    if (unusable) return fails('InvalidDestination', unusable);
    if (port === undefined) return fails('InvalidDestination', `backend ${name} has no port`);
    const host = isHostname ? name.toLowerCase() : kubernetesHost(name, namespace, scope.store.domain);
    const exists = isHostname
      ? scope.store.entryHosts.get(host).length + scope.store.serviceHosts.get(host).length > 0
      : scope.store.table('Service').get(`${namespace}/${name}`) !== undefined;
    const found: Attempt<Destination> = { value: { host, port: { number: port } } };
    return exists
      ? found
      : { ...found, problem: { reason: 'BackendNotFound', message: `there is no backend ${host}` } };
  };
}

function serviceFault(name: string): string | undefined {
  if (name === '') return 'a backend has no name';
  return name.includes('.') ? `"${name}" is a host name; a backend names the Service` : undefined;
}

function hostnameFault({ name = '', namespace }: BackendReference): string | undefined {
  if (name === '') return 'a backend has no name';
  return namespace === undefined ? undefined : 'a Hostname has no namespace';
}
