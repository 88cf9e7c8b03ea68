// TLSRoutes and TCPRoutes as VirtualServices: one a parent and host.
import type {
  BackendRef,
  GatewayL4RouteRule,
  RouteDestination,
  TCPRoute,
  TLSRoute,
} from '../../../config/index.ts';
import { type ConfigStore, keyOf, type ObjectOf } from '../../../registry/index.ts';
import { type Generated, generatedVirtualService } from '../generated.ts';
import { type Attachment, effectiveAttachments, type GatewayIndex, hostsAt } from './attachment.ts';
import { backendResolver, nowhere, type ResolveBackend } from './backends.ts';
import { hostnamesOf, olderObject } from './objects.ts';
import type { Attempt, Problem } from './problem.ts';

type L4RouteObject = ObjectOf<'TLSRoute'> | ObjectOf<'TCPRoute'>;

export function l4VirtualServices(store: ConfigStore, gateways: GatewayIndex): readonly Generated[] {
  const routes = [...store.table('TLSRoute').values(), ...store.table('TCPRoute').values()].sort(olderObject);
  const generated = routes.flatMap((route) =>
    effectiveAttachments(store, gateways, route).flatMap((attachment) =>
      virtualServices(store, route, attachment),
    ),
  );
  // Two references to one parent are one.
  return [...new Map(generated.map((object) => [keyOf(object), object])).values()];
}

/** Where the rules of a route lead to, with what is wrong with each. */
export function convertL4Rules(
  store: ConfigStore,
  route: L4RouteObject,
  atGateway: boolean,
): readonly Attempt<readonly RouteDestination[]>[] {
  const { kind, metadata } = route;
  const resolve = backendResolver({ store, kind, namespace: metadata.namespace, needsGrant: atGateway });
  return (route.spec.rules ?? []).map((rule) => destinations(rule, resolve));
}

/** Connections are closed where no backend has a weight: there is no answer that every protocol knows. */
function destinations(
  { backendRefs = [] }: GatewayL4RouteRule,
  resolve: ResolveBackend,
): Attempt<readonly RouteDestination[]> {
  const wanted = backendRefs.filter(({ weight = 1 }: BackendRef) => weight > 0);
  if (wanted.length === 0) return { value: [{ destination: { host: nowhere, port: { number: 65_535 } } }] };
  let problem: Problem | undefined;
  const value = wanted.map(({ weight = 1, ...reference }) => {
    const backend = resolve(reference);
    problem = backend.problem ?? problem;
    return { destination: backend.value, weight };
  });
  return { value, problem };
}

function virtualServices(
  store: ConfigStore,
  route: L4RouteObject,
  { parent }: Attachment,
): readonly Generated[] {
  const targets = convertL4Rules(store, route, parent.kind === 'listener').map(({ value }) => value);
  const { namespace, name } = route.metadata;
  const gateway = parent.kind === 'listener' ? parent.listener.internalName : 'mesh';
  const port = parent.kind === 'mesh' ? parent.port : undefined;
  const exportTo = parent.kind === 'mesh' && parent.namespace !== namespace ? ['.'] : undefined;
  return hostsOf(route, parent).map((host) => {
    const full = [namespace, name, gateway.replace('/', '~'), port ?? '', host].join('~');
    const rules =
      route.kind === 'TLSRoute'
        ? {
            tls: targets.map(
              (to): TLSRoute => ({
                match: [{ sniHosts: serverNames(route, parent, host), port }],
                route: to,
              }),
            ),
          }
        : {
            tcp: targets.map(
              (to): TCPRoute => ({ match: port === undefined ? undefined : [{ port }], route: to }),
            ),
          };
    return generatedVirtualService(route, `${route.kind.toLowerCase()}~${full}`, 'gateway', {
      hosts: [host],
      gateways: [gateway],
      exportTo,
      ...rules,
    });
  });
}

function hostsOf(route: L4RouteObject, parent: Attachment['parent']): readonly string[] {
  if (parent.kind === 'mesh') return parent.hosts;
  return route.kind === 'TCPRoute' ? ['*'] : hostsAt(parent, route);
}

/** In the mesh a route without names of its own is for those of its parent. */
function serverNames(route: L4RouteObject, parent: Attachment['parent'], host: string): readonly string[] {
  if (parent.kind === 'listener') return [host];
  const own = hostnamesOf(route);
  return own.length > 0 ? own : [host];
}
