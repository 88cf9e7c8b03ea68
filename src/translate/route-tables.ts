// Route tables put together from virtual hosts that are derived and encoded one by one.
import { create } from '@bufbuild/protobuf';
import { RouteConfigurationSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import {
  type VirtualHost,
  VirtualHostSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { type Derived, deepEqual, type Family, type MemoEngine } from '../base/index.ts';
import { type GatewayPort, type Mesh, parseAudience } from '../mesh/index.ts';
import {
  assembleResource,
  type EncodedPart,
  type EncodedResource,
  encodePart,
  encodeResource,
  samePart,
  sameResource,
} from './encoded-resource.ts';
import { gatewayVirtualHosts } from './routes/gateway-routes.ts';
import { hostDomains } from './routes/host-domains.ts';
import { sidecarRouteTable, type VirtualHostRef } from './routes/sidecar-routes.ts';
import {
  aliasVirtualHost,
  catchAllVirtualHost,
  foreignVirtualHost,
  serviceVirtualHost,
} from './routes/virtual-host.ts';

/** RouteConfiguration.virtual_hosts */
const virtualHostsField = 2;
const maxDirectResponseBytes = 1_048_576;

export class RouteTables {
  readonly #mesh: Mesh;
  readonly #tables: Family<EncodedResource | undefined>;
  /** Keys of a table's virtual hosts, in order. */
  readonly #hostKeys: Family<readonly string[] | undefined>;
  readonly #domains: Family<readonly string[]>;
  readonly #surplus: Family<ReadonlyMap<string, readonly string[]>>;
  readonly #virtualHosts: Family<EncodedPart | undefined>;
  readonly #gatewayTables: Family<EncodedResource | undefined>;
  readonly #gatewayPorts: (key: string) => readonly GatewayPort[];

  constructor(engine: MemoEngine, mesh: Mesh, gatewayPorts: (key: string) => readonly GatewayPort[]) {
    this.#mesh = mesh;
    this.#gatewayPorts = gatewayPorts;
    this.#tables = engine.family('routes', (key) => this.#buildTable(key), sameResource);
    this.#hostKeys = engine.family('routeTable', (key) => this.#buildHostKeys(key), deepEqual);
    this.#domains = engine.family('virtualHostDomains', (key) => this.#buildDomains(key), deepEqual);
    this.#surplus = engine.family('surplusDomains', (key) => this.#buildSurplus(key), deepEqual);
    this.#virtualHosts = engine.family('virtualHost', (key) => this.#buildVirtualHost(key), samePart);
    this.#gatewayTables = engine.family('gatewayRoutes', (key) => this.#buildGatewayTable(key), sameResource);
  }

  sidecar(audience: string, name: string): Derived<EncodedResource | undefined> {
    return this.#tables.at(`${audience}\n${name}`);
  }

  gateway(gateway: string, name: string): Derived<EncodedResource | undefined> {
    return this.#gatewayTables.at(`${gateway}\n${name}`);
  }

  #buildTable(key: string): EncodedResource | undefined {
    const { rest: name } = split(key);
    const hostKeys = this.#hostKeys.get(key);
    if (!hostKeys) return undefined;
    const surplus = this.#surplus.get(key);
    const parts = hostKeys.flatMap((hostKey) => {
      const without = surplus.get(hostKey);
      return (without ? this.#withoutDomains(hostKey, without) : this.#virtualHosts.get(hostKey)) ?? [];
    });
    return assembleResource(
      RouteConfigurationSchema,
      name,
      create(RouteConfigurationSchema, routeSettings(name)),
      parts,
    );
  }

  #buildHostKeys(key: string): readonly string[] | undefined {
    const { audience, rest } = split(key);
    const table = sidecarRouteTable(this.#mesh, parseAudience(audience), rest);
    return table && inOrder(table).map((ref) => `${audience}\n${ref}`);
  }

  #buildDomains(key: string): readonly string[] {
    const { audience, rest } = split(key);
    const ref = JSON.parse(rest) as VirtualHostRef;
    if (ref.kind === 'foreign') return [ref.host];
    if (ref.kind === 'catch-all' || ref.kind === 'detected') return ['*'];
    if (ref.kind === 'alias') return this.#virtualHost(key)?.domains ?? [];
    const service = this.#mesh.registry.service(ref.key);
    return service ? hostDomains(this.#mesh, parseAudience(audience), service, ref) : [];
  }

  /**
   * Domains that an earlier virtual host of the table has taken: Envoy refuses a table that has one twice.
   */
  #buildSurplus(key: string): ReadonlyMap<string, readonly string[]> {
    const taken = new Set<string>();
    const surplus = new Map<string, readonly string[]>();
    for (const hostKey of this.#hostKeys.get(key) ?? []) {
      const twice: string[] = [];
      for (const domain of this.#domains.get(hostKey)) {
        if (taken.has(domain)) twice.push(domain);
        else taken.add(domain);
      }
      if (twice.length > 0) surplus.set(hostKey, twice);
    }
    return surplus;
  }

  #buildVirtualHost(key: string): EncodedPart | undefined {
    const host = this.#virtualHost(key);
    return host && encodePart(virtualHostsField, VirtualHostSchema, host);
  }

  #withoutDomains(key: string, surplus: readonly string[]): EncodedPart | undefined {
    const host = this.#virtualHost(key);
    const domains = host?.domains.filter((domain) => !surplus.includes(domain)) ?? [];
    return host && domains.length > 0
      ? encodePart(virtualHostsField, VirtualHostSchema, { ...host, domains })
      : undefined;
  }

  #virtualHost(key: string): VirtualHost | undefined {
    const { audience: text, rest } = split(key);
    const audience = parseAudience(text);
    const ref = JSON.parse(rest) as VirtualHostRef;
    if (ref.kind === 'catch-all') return catchAllVirtualHost(this.#mesh, ref.policy, ref.proxy);
    if (ref.kind === 'foreign') return foreignVirtualHost(this.#mesh, audience, ref.host, ref);
    const service = this.#mesh.registry.service(ref.key);
    if (ref.kind === 'alias') {
      const behind = this.#mesh.registry.service(ref.of);
      return (
        service &&
        behind &&
        aliasVirtualHost(this.#mesh, audience, { alias: service, service: behind, at: ref })
      );
    }
    const host = service && serviceVirtualHost(this.#mesh, audience, service, ref);
    return host && ref.kind === 'detected' ? { ...host, domains: ['*'] } : host;
  }

  #buildGatewayTable(key: string): EncodedResource | undefined {
    const lastLine = key.lastIndexOf('\n');
    const gateway = key.slice(0, lastLine);
    const name = key.slice(lastLine + 1);
    const hosts = gatewayVirtualHosts(
      this.#mesh,
      parseAudience(split(gateway).audience),
      this.#gatewayPorts(gateway),
      name,
    );
    if (!hosts) return undefined;
    return encodeResource(
      RouteConfigurationSchema,
      name,
      create(RouteConfigurationSchema, { ...routeSettings(name), virtualHosts: [...hosts] }),
    );
  }
}

function routeSettings(name: string): {
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

function split(key: string): { readonly audience: string; readonly rest: string } {
  const line = key.indexOf('\n');
  return line < 0 ? { audience: key, rest: '' } : { audience: key.slice(0, line), rest: key.slice(line + 1) };
}

/** As texts, catch-alls last. */
function inOrder(table: readonly VirtualHostRef[]): readonly string[] {
  const texts = (isLast: boolean): string[] =>
    table
      .filter((ref) => (ref.kind === 'catch-all') === isLast)
      .map((ref) => JSON.stringify(ref))
      .sort();
  return [...texts(false), ...texts(true)];
}
