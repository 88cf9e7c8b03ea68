// The xDS resources of gRPC applications without a proxy, each asked for by name.
// https://istio.io/latest/docs/reference/config/proxyless-grpc/ names what Istio serves them.
import { create } from '@bufbuild/protobuf';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { type Derived, deepEqual, type Family, type MemoEngine } from '../../base/index.ts';
import { type Audience, type Mesh, type ProxyNode, parseAudience } from '../../mesh/index.ts';
import type { Service } from '../../registry/index.ts';
import { type OutboundTarget, outboundTargets, targetName } from '../clusters/target.ts';
import { type EncodedResource, encodeResource, sameResource } from '../encoded-resource.ts';
import { grpcServerAddress, outboundCluster, parseClusterName, parseHostAndPort } from '../names.ts';
import { serviceRoutes } from '../routes/virtual-host.ts';
import { grpcCluster } from './cluster.ts';
import { type GrpcView, grpcViewOf, tlsOfServedPort } from './grpc-view.ts';
import { channelListener, serverListener } from './listeners.ts';
import { grpcRoute } from './route.ts';

/** Endpoints are those of a sidecar, and made there. */
export type GrpcResourceType = 'cluster' | 'listener' | 'route';

interface ResourceKey {
  readonly type: GrpcResourceType;
  readonly name: string;
  readonly audience: string;
  readonly servedPorts: string;
}

export class GrpcTranslator {
  readonly #engine: MemoEngine;
  readonly #mesh: Mesh;
  readonly #resources: Family<EncodedResource | undefined>;

  constructor(engine: MemoEngine, mesh: Mesh) {
    this.#engine = engine;
    this.#mesh = mesh;
    this.#resources = engine.family(
      'grpcResource',
      (key) => this.#build(JSON.parse(key) as ResourceKey),
      sameResource,
    );
  }

  view(node: ProxyNode): Derived<GrpcView> {
    return this.#engine.derive('grpcView', () => grpcViewOf(this.#mesh, node), deepEqual);
  }

  /** Holds undefined while there is no such resource. */
  resource(type: GrpcResourceType, view: GrpcView, name: string): Derived<EncodedResource | undefined> {
    const isServer = type === 'listener' && grpcServerAddress(name) !== undefined;
    const key: ResourceKey = {
      type,
      name,
      audience: type === 'cluster' ? view.locatedAudience : view.audience,
      servedPorts: isServer ? view.servedPorts : '',
    };
    return this.#resources.at(JSON.stringify(key));
  }

  #build(key: ResourceKey): EncodedResource | undefined {
    const audience = parseAudience(key.audience);
    switch (key.type) {
      case 'listener': {
        const listener = this.#listener(key, audience);
        return listener && encodeResource(ListenerSchema, key.name, listener);
      }
      case 'route': {
        const routes = this.#routes(key.name, audience);
        return routes && encodeResource(RouteConfigurationSchema, key.name, routes);
      }
      case 'cluster': {
        const target = this.#target(key.name, audience);
        const cluster = target && grpcCluster(this.#mesh, audience, target);
        return cluster && encodeResource(ClusterSchema, key.name, cluster);
      }
    }
  }

  #listener({ name, servedPorts }: ResourceKey, audience: Audience): Listener | undefined {
    const server = grpcServerAddress(name);
    if (server) {
      const mutualTls = tlsOfServedPort(servedPorts, server.port);
      return mutualTls === undefined ? undefined : serverListener(name, server, mutualTls);
    }
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

  #target(name: string, audience: Audience): OutboundTarget | undefined {
    const wanted = parseClusterName(name);
    const service = wanted && this.#mesh.serviceFor(audience, wanted.host);
    return (
      service && outboundTargets(this.#mesh, audience, service).find((target) => targetName(target) === name)
    );
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
