// The kinds of resources that travel over xDS, in the order in which a change must reach a client: clusters
// and their endpoints before the listeners and routes that name them.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations

interface TypeFacts {
  readonly url: string;
  /** Whether a client may ask for all resources of the type without naming them. */
  readonly hasWildcard: boolean;
}

const prefix = 'type.googleapis.com';
const facts = {
  cluster: { url: `${prefix}/envoy.config.cluster.v3.Cluster`, hasWildcard: true },
  endpoint: { url: `${prefix}/envoy.config.endpoint.v3.ClusterLoadAssignment`, hasWildcard: false },
  listener: { url: `${prefix}/envoy.config.listener.v3.Listener`, hasWildcard: true },
  route: { url: `${prefix}/envoy.config.route.v3.RouteConfiguration`, hasWildcard: false },
  secret: { url: `${prefix}/envoy.extensions.transport_sockets.tls.v3.Secret`, hasWildcard: false },
  // Istio's agent asks for it, to answer for the names of the mesh beside the proxy.
  nameTable: { url: `${prefix}/istio.networking.nds.v1.NameTable`, hasWildcard: true },
} as const satisfies Readonly<Record<string, TypeFacts>>;

export type ResourceTypeName = keyof typeof facts;

const entries = Object.entries(facts) as readonly [ResourceTypeName, TypeFacts][];
export const resourceTypes: readonly ResourceTypeName[] = entries.map(([name]) => name);
const names: ReadonlyMap<string, ResourceTypeName> = new Map(entries.map(([name, { url }]) => [url, name]));

export function typeUrlOf(type: ResourceTypeName): string {
  return facts[type].url;
}

export function typeOfUrl(url: string): ResourceTypeName | undefined {
  return names.get(url);
}

export function hasWildcard(type: ResourceTypeName): boolean {
  return facts[type].hasWildcard;
}
