// The xDS resources of every proxy, derived through the memo engine and shared by all proxies for which they
// are the same.
import { type Cluster, ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { ClusterLoadAssignmentSchema } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { SecretSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { type Derived, deepEqual, type Family, type MemoEngine } from '../base/index.ts';
import {
  type GatewayPort,
  type Mesh,
  type ProxyNode,
  parseAudience,
  passesAutomatically,
} from '../mesh/index.ts';
import { gatewayServices } from './clusters/gateway-services.ts';
import { inboundCluster } from './clusters/inbound.ts';
import { outboundClusterOf } from './clusters/outbound.ts';
import { allowAnyDynamicDns, blackHole, inboundPassthrough, passthrough } from './clusters/static.ts';
import { type OutboundTarget, outboundTargets, passedTargets, targetName } from './clusters/target.ts';
import { nameServer, nameServerListener } from './dns/name-server.ts';
import { nameTable } from './dns/name-table.ts';
import { type EncodedResource, encodeResource, sameResource } from './encoded-resource.ts';
import { clusterLoadAssignment } from './endpoints/load-assignment.ts';
import { kubernetesSecret } from './kubernetes-secret.ts';
import { gatewayListener } from './listeners/gateway.ts';
import { boundInbound, boundPorts, inboundClusterName, virtualInbound } from './listeners/inbound.ts';
import { httpProxyListener, outboundListener, virtualOutbound } from './listeners/outbound.ts';
import { outboundPlans } from './listeners/outbound-plans.ts';
import type { OutboundListenerPlan } from './listeners/plan.ts';
import {
  blackHoleCluster,
  dynamicDnsCluster,
  httpProxyRouteName,
  inboundPassthroughCluster,
  listenerName,
  parseClusterName,
  parseClusterSni,
  passthroughCluster,
} from './names.ts';
import { RouteTables } from './route-tables.ts';
import { egressProxyCluster, undeclaredPolicy } from './routes/sidecar-routes.ts';
import { sidecarMayRead } from './sidecar-credentials.ts';
import { parseInbound, parseTargetPorts, type View, viewOf } from './view.ts';

export type ResourceType = 'cluster' | 'endpoint' | 'listener' | 'route' | 'secret';

/** A change of one of these may change what a subscriber gets. */
export type ResourceCell = Derived<EncodedResource | undefined>;

export class Translator {
  readonly #mesh: Mesh;
  readonly #engine: MemoEngine;
  readonly #routes: RouteTables;
  readonly #plans: Family<readonly OutboundListenerPlan[]>;
  readonly #gatewayPorts: Family<readonly GatewayPort[]>;
  readonly #serviceClusters: Family<readonly string[]>;
  readonly #names: Family<readonly string[]>;
  readonly #resources: Family<EncodedResource | undefined>;

  constructor(engine: MemoEngine, mesh: Mesh) {
    this.#engine = engine;
    this.#mesh = mesh;
    this.#plans = engine.family(
      'listenerPlans',
      (audience) => outboundPlans(mesh, parseAudience(audience)),
      deepEqual,
    );
    this.#gatewayPorts = engine.family('gatewayPorts', (key) => this.#buildGatewayPorts(key), deepEqual);
    this.#serviceClusters = engine.family(
      'serviceClusters',
      (key) => this.#buildServiceClusters(key),
      deepEqual,
    );
    this.#names = engine.family('names', (key) => this.#buildNames(key), deepEqual);
    this.#resources = engine.family(
      'resource',
      (key) => this.#build(JSON.parse(key) as ResourceKey),
      sameResource,
    );
    this.#routes = new RouteTables(engine, mesh, (key) => this.#gatewayPorts.get(key));
  }

  /** The view of a proxy, which changes when a selector, or what the proxy itself serves, does. */
  view(node: ProxyNode): Derived<View> {
    return this.#engine.derive('view', () => viewOf(this.#mesh, node), deepEqual);
  }

  /**
   * Names of all resources of a type, for subscribers to everything. Endpoints and routes are asked for by
   * name.
   */
  names(type: 'cluster' | 'listener', view: View): Derived<readonly string[]> {
    return this.#names.at(JSON.stringify([type, view]));
  }

  /**
   * Holds undefined while there is no such resource. The same cell is handed out for every view that shares
   * the resource.
   */
  resource(type: ResourceType, view: View, name: string): ResourceCell {
    if (type === 'route')
      return view.type === 'router'
        ? this.#routes.gateway(gatewayKey(view), name)
        : this.#routes.sidecar(view.audience, name);
    return this.#resources.at(JSON.stringify(resourceKey(type, view, name)));
  }

  /** The endpoints of an outbound cluster, which every client from one place shares. */
  endpoints({ locatedAudience }: Pick<View, 'locatedAudience'>, name: string): ResourceCell {
    return this.#resources.at(JSON.stringify(endpointKey(locatedAudience, name)));
  }

  #buildNames(key: string): readonly string[] {
    const [type, view] = JSON.parse(key) as ['cluster' | 'listener', View];
    return type === 'cluster' ? this.#clusterNames(view) : this.#listenerNames(view);
  }

  #clusterNames(view: View): readonly string[] {
    const audience = parseAudience(view.audience);
    const services =
      view.type === 'router'
        ? gatewayServices(this.#mesh, audience, this.#gatewayPorts.get(gatewayKey(view)))
        : this.#mesh.reachableServices(audience);
    const outbound = services.flatMap((service) =>
      this.#serviceClusters.get(`${view.audience}\n${service.hostname}`),
    );
    if (view.type === 'router') return [blackHoleCluster, ...outbound, ...this.#passedClusters(view)];
    const inbound = parseInbound(view.inbound).ports.map((port) => inboundClusterName(port.port));
    const lookedUp = undeclaredPolicy(this.#mesh, audience) === 'look-up' ? [dynamicDnsCluster] : [];
    return [
      blackHoleCluster,
      inboundPassthroughCluster,
      passthroughCluster,
      ...lookedUp,
      ...inbound,
      ...outbound,
    ];
  }

  /** Of a gateway that passes the mesh's TLS on, for every service that it can see. */
  #passedClusters(view: View): readonly string[] {
    const servers = this.#gatewayPorts.get(gatewayKey(view)).flatMap((port) => port.servers);
    if (!servers.some(({ server }) => passesAutomatically(server))) return [];
    const audience = parseAudience(view.audience);
    return this.#mesh
      .visibleServices(audience)
      .flatMap((service) => passedTargets(this.#mesh, audience, service).map(targetName));
  }

  #listenerNames(view: View): readonly string[] {
    if (view.type === 'router')
      return this.#gatewayPorts.get(gatewayKey(view)).map((port) => listenerName(port.bind, port.port));
    const { captured } = parseAudience(view.audience);
    const plans = this.#plans.get(view.audience).filter((plan) => captured || plan.bound);
    return [
      ...plans.map((plan) => plan.name),
      ...(captured ? ['virtualOutbound', 'virtualInbound'] : []),
      ...boundPorts(parseInbound(view.inbound)).keys(),
      ...(view.httpProxy ? [proxyListenerName(view.httpProxy)] : []),
      ...(view.nameServer ? [nameServerListener] : []),
    ];
  }

  #build(key: ResourceKey): EncodedResource | undefined {
    switch (key.type) {
      case 'cluster':
        return this.#cluster(key);
      case 'endpoint':
        return this.#endpoints(key);
      case 'secret': {
        const audience = parseAudience(key.audience);
        if (audience.type === 'sidecar' && !sidecarMayRead(this.#mesh.store, key.name, audience))
          return undefined;
        const secret = kubernetesSecret(this.#mesh.store, key.name, audience.namespace);
        return secret && encodeResource(SecretSchema, key.name, secret);
      }
      case 'listener': {
        const listener = this.#listener(key);
        return listener && encodeResource(ListenerSchema, key.name, listener);
      }
    }
  }

  #cluster({ name, audience, inbound }: ResourceKey): EncodedResource | undefined {
    const settings = this.#mesh.settings;
    const own = inbound && parseInbound(inbound).ports.find((port) => inboundClusterName(port.port) === name);
    const fixed = fixedClusters[name];
    if (own) return encodeResource(ClusterSchema, name, inboundCluster(own, settings));
    if (fixed) return encodeResource(ClusterSchema, name, fixed(this.#mesh));
    const target = this.#target(audience, name);
    const cluster = target && outboundClusterOf(this.#mesh, parseAudience(audience), target);
    return cluster && encodeResource(ClusterSchema, name, cluster);
  }

  #endpoints({ name, audience }: ResourceKey): EncodedResource | undefined {
    const target = this.#target(audience, name);
    const assignment =
      target && clusterLoadAssignment(this.#mesh, parseAudience(audience), target, 'discovered');
    return assignment && encodeResource(ClusterLoadAssignmentSchema, name, assignment);
  }

  #target(audienceText: string, name: string): OutboundTarget | undefined {
    const passed = parseClusterSni(name);
    const parsed = passed ?? parseClusterName(name);
    if (parsed?.direction !== 'outbound') return undefined;
    const audience = parseAudience(audienceText);
    const service = this.#mesh.serviceFor(audience, parsed.host);
    const targetsOf = passed ? passedTargets : outboundTargets;
    return service && targetsOf(this.#mesh, audience, service).find((target) => targetName(target) === name);
  }

  #listener({ name, audience: text, inbound, targetPorts, httpProxy }: ResourceKey): Listener | undefined {
    const settings = this.#mesh.settings;
    const audience = parseAudience(text);
    if (audience.type === 'router') {
      const port = this.#gatewayPorts
        .get(`${text}\n${targetPorts}`)
        .find((candidate) => listenerName(candidate.bind, candidate.port) === name);
      return port && gatewayListener(this.#mesh, audience, port);
    }
    const options = {
      mesh: this.#mesh,
      undeclared: undeclaredPolicy(this.#mesh, audience),
      egressProxy: egressProxyCluster(this.#mesh, audience),
    };
    if (name === 'virtualOutbound') return virtualOutbound(options);
    if (name === nameServerListener) return nameServer(nameTable(this.#mesh, audience));
    if (httpProxy && name === proxyListenerName(httpProxy))
      return httpProxyListener(...addressAndPort(httpProxy), httpProxyRouteName, options);
    if (inbound) {
      const plan = parseInbound(inbound);
      if (name === 'virtualInbound') return virtualInbound(plan, settings);
      const port = boundPorts(plan).get(name);
      return port && boundInbound(port, settings);
    }
    const plan = this.#plans.get(text).find((candidate) => candidate.name === name);
    return plan && outboundListener(plan, options);
  }

  #buildGatewayPorts(key: string): readonly GatewayPort[] {
    const line = key.indexOf('\n');
    return this.#mesh.gatewayPorts(parseAudience(key.slice(0, line)), parseTargetPorts(key.slice(line + 1)));
  }

  #buildServiceClusters(key: string): readonly string[] {
    const line = key.indexOf('\n');
    const audience = parseAudience(key.slice(0, line));
    const service = this.#mesh.serviceFor(audience, key.slice(line + 1));
    return service ? outboundTargets(this.#mesh, audience, service).map(targetName) : [];
  }
}

const fixedClusters: Readonly<Record<string, (mesh: Mesh) => Cluster>> = {
  [blackHoleCluster]: blackHole,
  [passthroughCluster]: passthrough,
  [inboundPassthroughCluster]: inboundPassthrough,
  [dynamicDnsCluster]: allowAnyDynamicDns,
};

/** The parts of a view that one resource depends on; the rest is left empty, so that more views share it. */
interface ResourceKey {
  readonly type: Exclude<ResourceType, 'route'>;
  readonly name: string;
  readonly audience: string;
  readonly inbound: string;
  readonly targetPorts: string;
  readonly httpProxy: string;
}

function resourceKey(type: Exclude<ResourceType, 'route'>, view: View, name: string): ResourceKey {
  const key = { type, name, audience: view.audience, inbound: '', targetPorts: '', httpProxy: '' };
  if (type === 'endpoint') return endpointKey(view.locatedAudience, name);
  if (type === 'cluster' && (name.startsWith('outbound|') || parseClusterSni(name)))
    return { ...key, audience: view.locatedAudience };
  if (type === 'cluster') return { ...key, inbound: name.startsWith('inbound|') ? view.inbound : '' };
  if (type === 'secret') return key;
  if (view.type === 'router') return { ...key, targetPorts: view.targetPorts };
  if (view.httpProxy && name === proxyListenerName(view.httpProxy))
    return { ...key, httpProxy: view.httpProxy };
  return isInbound(view, name) ? { ...key, inbound: view.inbound } : key;
}

function endpointKey(audience: string, name: string): ResourceKey {
  return { type: 'endpoint', name, audience, inbound: '', targetPorts: '', httpProxy: '' };
}

function isInbound(view: View, name: string): boolean {
  return name === 'virtualInbound' || boundPorts(parseInbound(view.inbound)).has(name);
}

function gatewayKey(view: View): string {
  return `${view.audience}\n${view.targetPorts}`;
}

function proxyListenerName(httpProxy: string): string {
  return listenerName(...addressAndPort(httpProxy));
}

function addressAndPort(text: string): [string, number] {
  const colon = text.lastIndexOf(':');
  return [text.slice(0, colon), Number(text.slice(colon + 1))];
}
