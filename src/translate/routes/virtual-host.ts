// Virtual hosts of a sidecar: one a service and port, and one a foreign host that some VirtualService names.
import { create } from '@bufbuild/protobuf';
import {
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { type Origin, within } from '../../base/index.ts';
import type { Audience, Mesh, VirtualServiceModel } from '../../mesh/index.ts';
import type { Service } from '../../registry/index.ts';
import { hashPolicies } from '../features/hash-policy.ts';
import { proxyHeaders } from '../features/proxy-headers.ts';
import { retryPolicy } from '../features/retry.ts';
import { dynamicDnsCluster, outboundCluster, passthroughCluster, virtualHostName } from '../names.ts';
import { madeOf } from '../origins.ts';
import { duration } from '../wire.ts';
import { hostDomains } from './host-domains.ts';
import { operation } from './http-route.ts';
import type { RouteContext, RoutePort } from './route-context.ts';
import { type Alias, aliasRules, contextAt, hostRules, serviceRules } from './service-rules.ts';
import type { UndeclaredPolicy } from './sidecar-routes.ts';

export function serviceVirtualHost(
  mesh: Mesh,
  audience: Audience,
  service: Service,
  at: RoutePort,
): VirtualHost {
  const host = virtualHost(mesh, virtualHostName(service.hostname, at.port), {
    domains: hostDomains(mesh, audience, service, at),
    routes: serviceRoutes(mesh, audience, service, at),
  });
  return madeOf(host, portOrigin(service, at.port));
}

/**
 * The routes of the VirtualService in force for this client, or straight to the service when there is none
 * with a rule for it.
 */
export function serviceRoutes(
  mesh: Mesh,
  audience: Audience,
  service: Service,
  at: RoutePort,
): readonly Route[] {
  const found = serviceRules(mesh, audience, service, at);
  return found?.routes ?? [defaultRoute(service, at.port, contextAt(mesh, audience, at))];
}

/** Undefined when no rule of the VirtualServices that name the host is for this client. */
export function foreignVirtualHost(
  mesh: Mesh,
  audience: Audience,
  host: string,
  at: RoutePort,
): VirtualHost | undefined {
  const found = hostRules(mesh, audience, host, at);
  if (!found) return undefined;
  const { routes, model } = found;
  const made = virtualHost(mesh, virtualHostName(host, at.port), { domains: [host], routes });
  return madeOf(made, hostOrigin(model, host));
}

/**
 * Of an ExternalName service that has rules of its own; undefined for one that goes the way of the service
 * behind it.
 */
export function aliasVirtualHost(mesh: Mesh, audience: Audience, names: Alias): VirtualHost | undefined {
  const found = aliasRules(mesh, audience, names);
  const { alias, at } = names;
  const domains = hostDomains(mesh, audience, alias, at);
  if (!found) return undefined;
  const { routes } = found;
  const made = virtualHost(mesh, virtualHostName(alias.hostname, at.port), { domains, routes });
  return madeOf(made, portOrigin(alias, at.port));
}

/** The port of a service, or the service where the port is not its own. */
export function portOrigin(service: Service, port: number): Origin {
  return service.ports.find(({ number }) => number === port)?.origin ?? within(service.origin, '');
}

/** The place where a VirtualService names a host. */
export function hostOrigin({ hosts, origin }: VirtualServiceModel, host: string): Origin {
  const index = hosts.indexOf(host);
  return within(origin, index < 0 ? 'spec.hosts' : `spec.hosts[${index}]`);
}

function virtualHost(
  mesh: Mesh,
  name: string,
  { domains, routes }: { readonly domains: readonly string[]; readonly routes: readonly Route[] },
): VirtualHost {
  return create(VirtualHostSchema, {
    name,
    domains: [...domains],
    routes: [...routes],
    includeRequestAttemptCount: countsAttempts(mesh),
  });
}

/** Whether upstreams are told which try a request is. */
export function countsAttempts(mesh: Mesh): boolean {
  return !proxyHeaders(mesh.settings.config).attemptCount?.disabled;
}

function defaultRoute(service: Service, port: number, context: RouteContext): Route {
  const hash = hashPolicies(context.hash(service.hostname, port, undefined));
  const route = create(RouteSchema, {
    name: 'default',
    match: { pathSpecifier: { case: 'prefix', value: '/' } },
    action: {
      case: 'route',
      value: {
        clusterSpecifier: { case: 'cluster', value: outboundCluster(port, undefined, service.hostname) },
        timeout: duration(0),
        maxGrpcTimeout: duration(0),
        retryPolicy: retryPolicy(undefined, { meshDefault: context.meshRetries, consistentHash: false }),
        hashPolicy: [...hash],
        appendXForwardedHost: context.appendForwardedHost,
      },
    },
  });
  route.decorator = create(RouteSchema, {
    decorator: { operation: operation('', route.match, route.action, port) },
  }).decorator;
  return madeOf(route, portOrigin(service, port));
}

/** Names of the virtual host and its route, and the cluster; no cluster where nothing may be reached. */
const catchAll: Readonly<Record<UndeclaredPolicy, { readonly name: string; readonly cluster?: string }>> = {
  allow: { name: 'allow_any', cluster: passthroughCluster },
  'look-up': { name: 'allow_any_dynamic_dns', cluster: dynamicDnsCluster },
  block: { name: 'block_all' },
};

/**
 * What becomes of requests for hosts that nobody declared; `proxy`, where there is one, gets those that may
 * pass.
 */
export function catchAllVirtualHost(mesh: Mesh, policy: UndeclaredPolicy, proxy?: string): VirtualHost {
  const { name, ...fixed } = catchAll[policy];
  const cluster = policy === 'allow' ? (proxy ?? fixed.cluster) : fixed.cluster;
  return create(VirtualHostSchema, {
    name,
    domains: ['*'],
    includeRequestAttemptCount: countsAttempts(mesh),
    routes: [
      create(RouteSchema, {
        name,
        match: { pathSpecifier: { case: 'prefix', value: '/' } },
        action:
          cluster === undefined
            ? { case: 'directResponse', value: { status: 502 } }
            : {
                case: 'route',
                value: {
                  clusterSpecifier: { case: 'cluster', value: cluster },
                  timeout: duration(0),
                  maxGrpcTimeout: duration(0),
                },
              },
      }),
    ],
  });
}
