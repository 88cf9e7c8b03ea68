// Route tables: of sidecars put together from virtual hosts that are derived and encoded one by one, of gateways
// made as a whole.
import { create } from '@bufbuild/protobuf';
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route';
import {
  type VirtualHost,
  VirtualHostSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { compareText, deepEqual, type Family, type Interner, type MemoEngine } from '../../base/index.ts';
import type { Audience, GatewayTarget, Mesh } from '../../mesh/index.ts';
import {
  assembleResource,
  type EncodedPart,
  type EncodedResource,
  encodePart,
  samePart,
  sameResource,
} from '../encoded-resource.ts';
import { gatewayVirtualHosts } from '../routes/gateway-routes.ts';
import { hostDomains } from '../routes/host-domains.ts';
import { sidecarRouteTable, type VirtualHostRef } from '../routes/sidecar-routes.ts';
import {
  aliasVirtualHost,
  catchAllVirtualHost,
  foreignVirtualHost,
  serviceVirtualHost,
} from '../routes/virtual-host.ts';
import { type Derivations, type Made, made, type ResourceKind } from './resource-kind.ts';

/** RouteConfiguration.virtual_hosts */
const virtualHostsField = 2;
const maxDirectResponseBytes = 1_048_576;

export function routes(from: Derivations): ResourceKind {
  const ofSidecars = new SidecarRoutes(from);
  const ofGateways = gatewayRoutes(from);
  return {
    type: 'route',
    resource: ({ type, audience, targets }, name) =>
      type === 'router' ? ofGateways.at(name, audience, targets) : ofSidecars.tables.at(audience, name),
    message: ({ type, audience, targets }, name) =>
      type === 'router' ? ofGateways.message(name, audience, targets) : ofSidecars.message(audience, name),
  };
}

function gatewayRoutes({
  engine,
  mesh,
  gatewayPorts,
}: Derivations): Made<[audience: Audience, targets: readonly GatewayTarget[]]> {
  return made(
    engine,
    { family: 'gatewayRoutes', schema: RouteConfigurationSchema },
    (name, audience, targets) => {
      const hosts = gatewayVirtualHosts(mesh, audience, gatewayPorts.get(audience, targets), name);
      return hosts && create(RouteConfigurationSchema, { ...settings(name), virtualHosts: [...hosts] });
    },
  );
}

type Table = [audience: Audience, name: string];
type Host = [audience: Audience, ref: VirtualHostRef];

class SidecarRoutes {
  readonly tables: Family<Table, EncodedResource | undefined>;
  readonly #engine: MemoEngine;
  readonly #mesh: Mesh;
  readonly #interner: Interner<VirtualHostRef>;
  /** Of a table, in order. */
  readonly #refs: Family<Table, readonly VirtualHostRef[] | undefined>;
  readonly #domains: Family<Host, readonly string[]>;
  readonly #surplus: Family<Table, ReadonlyMap<VirtualHostRef, readonly string[]>>;
  readonly #hosts: Family<Host, EncodedPart | undefined>;

  constructor({ engine, mesh }: Derivations) {
    this.#engine = engine;
    this.#mesh = mesh;
    this.#interner = engine.interner(textOf);
    this.tables = engine.family('routes', (...table) => this.#buildTable(...table), sameResource);
    this.#refs = engine.family('routeTable', (...table) => this.#buildRefs(...table), deepEqual);
    this.#domains = engine.family('virtualHostDomains', (...host) => this.#buildDomains(...host), deepEqual);
    this.#surplus = engine.family('surplusDomains', (...table) => this.#buildSurplus(...table), deepEqual);
    this.#hosts = engine.family('virtualHost', (...host) => encoded(this.#host(...host)), samePart);
  }

  message(audience: Audience, name: string): RouteConfiguration | undefined {
    return this.#engine.untracked(() => {
      const refs = this.#refs.get(audience, name);
      const surplus = this.#surplus.get(audience, name);
      const virtualHosts = refs?.flatMap((ref) => this.#rest(audience, ref, surplus.get(ref) ?? []) ?? []);
      return virtualHosts && create(RouteConfigurationSchema, { ...settings(name), virtualHosts });
    });
  }

  #buildTable(audience: Audience, name: string): EncodedResource | undefined {
    const refs = this.#refs.get(audience, name);
    if (!refs) return undefined;
    const surplus = this.#surplus.get(audience, name);
    const parts = refs.flatMap((ref) => {
      const twice = surplus.get(ref);
      return (twice ? encoded(this.#rest(audience, ref, twice)) : this.#hosts.get(audience, ref)) ?? [];
    });
    const head = create(RouteConfigurationSchema, settings(name));
    return assembleResource(RouteConfigurationSchema, name, head, parts);
  }

  #buildRefs(audience: Audience, name: string): readonly VirtualHostRef[] | undefined {
    const table = sidecarRouteTable(this.#mesh, audience, name);
    return table && inOrder(table).map((ref) => this.#interner.intern(ref));
  }

  #buildDomains(audience: Audience, ref: VirtualHostRef): readonly string[] {
    if (ref.kind === 'foreign') return [ref.host];
    if (ref.kind === 'catch-all' || ref.kind === 'detected') return ['*'];
    if (ref.kind === 'alias') return this.#host(audience, ref)?.domains ?? [];
    const service = this.#mesh.registry.service(ref.key);
    return service ? hostDomains(this.#mesh, audience, service, ref) : [];
  }

  /**
   * Domains that an earlier virtual host of the table has taken: Envoy refuses a table that has one twice.
   */
  #buildSurplus(audience: Audience, name: string): ReadonlyMap<VirtualHostRef, readonly string[]> {
    const taken = new Set<string>();
    const surplus = new Map<VirtualHostRef, readonly string[]>();
    for (const ref of this.#refs.get(audience, name) ?? []) {
      const twice: string[] = [];
      for (const domain of this.#domains.get(audience, ref)) {
        if (taken.has(domain)) twice.push(domain);
        else taken.add(domain);
      }
      if (twice.length > 0) surplus.set(ref, twice);
    }
    return surplus;
  }

  /** What is left of a virtual host; undefined when nothing is. */
  #rest(audience: Audience, ref: VirtualHostRef, surplus: readonly string[]): VirtualHost | undefined {
    const host = this.#host(audience, ref);
    if (host && surplus.length > 0) host.domains = host.domains.filter((domain) => !surplus.includes(domain));
    return host && host.domains.length > 0 ? host : undefined;
  }

  #host(audience: Audience, ref: VirtualHostRef): VirtualHost | undefined {
    const mesh = this.#mesh;
    if (ref.kind === 'catch-all') return catchAllVirtualHost(mesh, ref.policy, ref.proxy);
    if (ref.kind === 'foreign') return foreignVirtualHost(mesh, audience, ref.host, ref);
    const service = mesh.registry.service(ref.key);
    if (ref.kind === 'alias') {
      const behind = mesh.registry.service(ref.of);
      if (!service || !behind) return undefined;
      return aliasVirtualHost(mesh, audience, { alias: service, service: behind, at: ref });
    }
    const host = service && serviceVirtualHost(mesh, audience, service, ref);
    if (host && ref.kind === 'detected') host.domains = ['*'];
    return host;
  }
}

function encoded(host: VirtualHost | undefined): EncodedPart | undefined {
  return host && encodePart(virtualHostsField, VirtualHostSchema, host);
}

function settings(name: string): {
  name: string;
  validateClusters: boolean;
  maxDirectResponseBodySizeBytes: number;
  ignorePortInHostMatching: boolean;
} {
  return {
    name,
    validateClusters: false,
    maxDirectResponseBodySizeBytes: maxDirectResponseBytes,
    ignorePortInHostMatching: true,
  };
}

function textOf(ref: VirtualHostRef): string {
  return JSON.stringify(ref);
}

/** In an order of their own, so that when a resource came makes no difference to the bytes; catch-alls last. */
function inOrder(table: readonly VirtualHostRef[]): readonly VirtualHostRef[] {
  return table
    .map((ref) => ({ ref, isLast: ref.kind === 'catch-all' ? 1 : 0, text: textOf(ref) }))
    .sort((a, b) => a.isLast - b.isLast || compareText(a.text, b.text))
    .map(({ ref }) => ref);
}
