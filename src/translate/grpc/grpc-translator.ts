// The xDS resources of gRPC applications without a proxy, each asked for by name.
// https://istio.io/latest/docs/reference/config/proxyless-grpc/ names what Istio serves them.
import { create } from '@bufbuild/protobuf';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route';
import type { Derived, MemoEngine } from '../../base/index.ts';
import type { Audience, Mesh, ProxyNode } from '../../mesh/index.ts';
import type { Service } from '../../registry/index.ts';
import { grpcServerAddress, outboundCluster, parseClusterName, parseHostAndPort } from '../names.ts';
import { targetNamed } from '../outbound-target.ts';
import { made, type ResourceKind } from '../resources/resource-kind.ts';
import { serviceRoutes } from '../routes/virtual-host.ts';
import { grpcCluster } from './cluster.ts';
import { type GrpcView, GrpcViews, type ServedPorts } from './grpc-view.ts';
import { channelListener, serverListener } from './listeners.ts';
import { grpcRoute } from './route.ts';

/** Endpoints are those of a sidecar. */
type GrpcKind = ResourceKind<GrpcView>;

export class GrpcTranslator {
  readonly #engine: MemoEngine;
  readonly #mesh: Mesh;
  readonly #views: GrpcViews;
  readonly #kinds: ReadonlyMap<string, GrpcKind>;

  constructor(engine: MemoEngine, mesh: Mesh, endpoints: ResourceKind<Pick<GrpcView, 'locatedAudience'>>) {
    this.#engine = engine;
    this.#mesh = mesh;
    this.#views = new GrpcViews(engine, mesh);
    const kinds = [this.#clusters(), endpoints, this.#listeners(), this.#routeTables()];
    this.#kinds = new Map(kinds.map((kind) => [kind.type, kind]));
  }

  view(node: ProxyNode): Derived<GrpcView> {
    return this.#engine.derive('grpcView', () => this.#views.of(node));
  }

  /** Everything is asked for by name. Undefined for a kind that applications are not given. */
  kind(type: string): GrpcKind | undefined {
    return this.#kinds.get(type);
  }

  #clusters(): GrpcKind {
    const schema = ClusterSchema;
    const resources = made(this.#engine, { family: 'grpcCluster', schema }, (name, located: Audience) => {
      const target = targetNamed(this.#mesh, located, name);
      return target && grpcCluster(this.#mesh, located, target);
    });
    return {
      type: 'cluster',
      resource: ({ locatedAudience }, name) => resources.at(name, locatedAudience),
      message: ({ locatedAudience }, name) => resources.message(name, locatedAudience),
    };
  }

  #routeTables(): GrpcKind {
    const schema = RouteConfigurationSchema;
    const resources = made(this.#engine, { family: 'grpcRoutes', schema }, (name, audience: Audience) =>
      this.#routes(name, audience),
    );
    return {
      type: 'route',
      resource: ({ audience }, name) => resources.at(name, audience),
      message: ({ audience }, name) => resources.message(name, audience),
    };
  }

  /** Of channels to a service, and of the servers of the application itself. */
  #listeners(): GrpcKind {
    const schema = ListenerSchema;
    const channels = made(this.#engine, { family: 'grpcChannel', schema }, (name, audience: Audience) =>
      this.#channel(name, audience),
    );
    const servers = made(this.#engine, { family: 'grpcServer', schema }, (name, served: ServedPorts) =>
      serverNamed(name, served),
    );
    return {
      type: 'listener',
      resource: ({ audience, served }, name) =>
        grpcServerAddress(name) ? servers.at(name, served) : channels.at(name, audience),
      message: ({ audience, served }, name) =>
        grpcServerAddress(name) ? servers.message(name, served) : channels.message(name, audience),
    };
  }

  #channel(name: string, audience: Audience): Listener | undefined {
    const wanted = parseHostAndPort(name);
    const service = wanted && this.#serviceMeant(wanted.host, audience);
    if (!service?.ports.some((port) => port.number === wanted?.port)) return undefined;
    return channelListener(name, outboundCluster(wanted?.port ?? 0, undefined, service.hostname));
  }

  /** The table of one service's port, whatever authority a call names. */
  #routes(name: string, audience: Audience): RouteConfiguration | undefined {
    const wanted = parseClusterName(name);
    const service = wanted && this.#serviceNamed(wanted.host, audience);
    if (!service?.ports.some((port) => port.number === wanted?.port)) return undefined;
    const routes = serviceRoutes(this.#mesh, audience, service, { port: wanted?.port ?? 0 }).flatMap(
      (route) => grpcRoute(route, name) ?? [],
    );
    return create(RouteConfigurationSchema, {
      name,
      virtualHosts: [{ name: service.hostname, domains: ['*'], routes }],
    });
  }

  /**
   * As a resolver would, a short name is taken for one in the client's own namespace, then for one with the
   * namespace in it.
   */
  #serviceMeant(host: string, audience: Audience): Service | undefined {
    const { domain } = this.#mesh.settings;
    for (const name of [
      host,
      `${host}.${audience.namespace}.svc.${domain}`,
      `${host}.svc.${domain}`,
      `${host}.${domain}`,
    ]) {
      const service = this.#serviceNamed(name, audience);
      if (service) return service;
    }
    return undefined;
  }

  #serviceNamed(host: string, audience: Audience): Service | undefined {
    const service = this.#mesh.serviceFor(audience, host);
    return service?.resolution === 'alias' ? undefined : service;
  }
}

function serverNamed(name: string, served: ServedPorts): Listener | undefined {
  const address = grpcServerAddress(name);
  const own = address && served.find(({ port }) => port === address.port);
  return own && serverListener(name, address, own.mutualTls);
}
