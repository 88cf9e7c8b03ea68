// The kinds of resources that travel over xDS, in the order in which a change must reach a client: clusters
// and their endpoints before the listeners and routes that name them.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations

export const resourceTypes = ['cluster', 'endpoint', 'listener', 'route', 'secret'] as const;
export type ResourceTypeName = (typeof resourceTypes)[number];

const urls: Readonly<Record<ResourceTypeName, string>> = {
  cluster: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  endpoint: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  listener: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  route: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  secret: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
};

const names: ReadonlyMap<string, ResourceTypeName> = new Map(resourceTypes.map((name) => [urls[name], name]));

export function typeUrlOf(type: ResourceTypeName): string {
  return urls[type];
}

export function typeOfUrl(url: string): ResourceTypeName | undefined {
  return names.get(url);
}

/** Whether a client may ask for all resources of the type without naming them. */
export function hasWildcard(type: ResourceTypeName): boolean {
  return type === 'cluster' || type === 'listener';
}
