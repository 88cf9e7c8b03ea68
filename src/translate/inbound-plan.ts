// What a workload serves and how: each port it listens on, with the protocol and the mutual TLS that hold
// there.

import { type Origin, within } from '../base/index.ts';
import type { ConnectionPoolSettings, ServerTLSSettings, Sidecar } from '../config/index.ts';
import type { Mesh, MutualTls, MutualTlsMode, ProxyNode } from '../mesh/index.ts';
import {
  type ObjectOf,
  type Protocol,
  parseProtocol,
  type Service,
  type ServicePort,
} from '../registry/index.ts';
import { isCapturing } from './listeners/capture-ports.ts';

export interface InboundPort {
  /** The port that the workload listens on, and connections are dialled to. */
  readonly port: number;
  /** Address in the names of its filter chains. */
  readonly address: string;
  /** Where it has a listener of its own; undefined for what is captured. */
  readonly boundTo?: string;
  readonly servicePort: number;
  readonly portName: string;
  readonly hostname: string;
  readonly protocol: Protocol;
  readonly mutualTls: MutualTlsMode;
  /** TLS that a Sidecar's ingress listener ends, in place of the mesh's. */
  readonly tls?: ServerTLSSettings;
  readonly connectionPool?: ConnectionPoolSettings;
  /** Where the application listens when that is not simply the dialled address. */
  readonly application?: { readonly address: string; readonly port: number } | { readonly path: string };
  /** The port of the service, or the Sidecar's listener, that declares it. */
  readonly origin: Origin;
}

export interface InboundPlan {
  readonly ports: readonly InboundPort[];
  /** For ports that nobody declared. */
  readonly mutualTls: MutualTlsMode;
  /** Undeclared ports with a mode of their own. */
  readonly undeclared: readonly { readonly port: number; readonly mutualTls: MutualTlsMode }[];
}

type Ingress = NonNullable<Sidecar['ingress']>[number];

export function inboundPlan(mesh: Mesh, node: ProxyNode): InboundPlan {
  const mutualTls = mesh.mutualTls(node.namespace, node.labels);
  const { sidecar } = mesh.scope(mesh.audienceOf(node));
  const ports = sidecar?.spec.ingress?.length
    ? sidecar.spec.ingress.map((ingress, index) => ({
        ...ingressPort(mesh, node, ingress, sidecar, mutualTls),
        origin: within(sidecar.origin, `spec.ingress[${index}]`),
      }))
    : servicePorts(mesh, node, mutualTls, sidecar?.spec.inboundConnectionPool);
  const declared = new Set(ports.map(({ port }) => port));
  const undeclared = [...mutualTls.ports]
    .filter(([port, mode]) => !declared.has(port) && mode !== mutualTls.mode)
    .map(([port, mode]) => ({ port, mutualTls: mode }));
  return {
    ports: dedupe(ports),
    mutualTls: mutualTls.mode,
    undeclared,
  };
}

function servicePorts(
  mesh: Mesh,
  node: ProxyNode,
  mutualTls: MutualTls,
  pool: ConnectionPoolSettings | undefined,
): readonly InboundPort[] {
  return servicesAt(mesh, node).flatMap(({ service, port, target }) => [
    {
      port: target,
      address: '0.0.0.0',
      boundTo: node.captured ? undefined : ownAddress(node),
      servicePort: port.number,
      portName: port.name,
      hostname: service.hostname,
      protocol: port.protocol,
      mutualTls: mutualTls.ports.get(target) ?? mutualTls.mode,
      connectionPool:
        pool ??
        mesh.trafficPolicy(mesh.inboundRule(node.namespace, service), port.number, undefined).connectionPool,
      application: node.applicationPorts.has(target)
        ? { address: '127.0.0.1', port: node.applicationPorts.get(target) ?? target }
        : undefined,
      origin: port.origin,
    },
  ]);
}

interface Served {
  readonly service: Service;
  readonly port: ServicePort;
  readonly target: number;
}

/**
 * The oldest service first, and its ports in their own order: the first to name a port of the workload
 * decides about it.
 */
function servicesAt(mesh: Mesh, node: ProxyNode): readonly Served[] {
  const keys = new Set(node.addresses.flatMap((address) => mesh.registry.keysAtAddress(address)));
  const services = [...keys]
    .flatMap((key) => mesh.registry.service(key) ?? [])
    .filter(({ namespace }) => namespace === node.namespace);
  return services.sort(byAgeThenHost).flatMap((service) => {
    const own = mesh
      .endpoints(service)
      .filter((endpoint) => node.addresses.includes(endpoint.address) && ownsPort(node, endpoint.port));
    return service.ports.flatMap((port) =>
      own
        .filter(({ servicePort }) => servicePort === port.name)
        .map((endpoint) => ({ service, port, target: endpoint.port })),
    );
  });
}

function byAgeThenHost(a: Service, b: Service): number {
  return (a.createdAt ?? 0) - (b.createdAt ?? 0) || (a.hostname < b.hostname ? -1 : 1);
}

// Workloads that share an address, as on a laptop, tell their ports apart themselves.
function ownsPort(node: ProxyNode, port: number): boolean {
  return node.applicationPorts.size === 0 || node.applicationPorts.has(port);
}

function ingressPort(
  mesh: Mesh,
  node: ProxyNode,
  ingress: Ingress,
  resource: ObjectOf<'Sidecar'>,
  mutualTls: MutualTls,
): Omit<InboundPort, 'origin'> {
  const { spec: sidecar, metadata } = resource;
  const owner = metadata.name;
  const port = ingress.port?.number ?? 0;
  const mode = mutualTls.ports.get(port) ?? mutualTls.mode;
  const served = servicesAt(mesh, node).find(
    ({ port: servicePort, target }) => servicePort.number === port || target === port,
  );
  const isCaptured =
    node.captured &&
    (ingress.captureMode !== 'NONE' || isCapturing(ingress.bind ?? '', port, mesh.settings.config));
  return {
    port,
    address: ingress.bind || (node.addresses[0] ?? '0.0.0.0'),
    boundTo: isCaptured ? undefined : ingress.bind || ownAddress(node),
    servicePort: port,
    portName: ingress.port?.name ?? '',
    hostname: `${owner}.${node.namespace}`,
    protocol: parseProtocol(ingress.port?.protocol),
    mutualTls: mode,
    tls: mesh.features.tlsOnSidecarIngress && mode === 'DISABLE' ? ingress.tls : undefined,
    connectionPool:
      ingress.connectionPool ??
      sidecar.inboundConnectionPool ??
      served?.service.ports.flatMap(() => [
        mesh.trafficPolicy(mesh.inboundRule(node.namespace, served.service), port, undefined).connectionPool,
      ])[0],
    application: defaultEndpoint(ingress.defaultEndpoint, node),
  };
}

function ownAddress(node: ProxyNode): string {
  return node.addresses[0] ?? '127.0.0.1';
}

/**
 * https://istio.io/latest/docs/reference/config/networking/sidecar/#IstioIngressListener (defaultEndpoint)
 */
function defaultEndpoint(text: string | undefined, node: ProxyNode): InboundPort['application'] {
  if (!text) return undefined;
  if (text.startsWith('unix://')) return { path: text.slice('unix://'.length) };
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  const own = host === '0.0.0.0' || host === '::' || host === '';
  const port = Number(text.slice(colon + 1));
  return Number.isInteger(port) && port > 0
    ? { address: own ? (node.addresses[0] ?? '127.0.0.1') : host, port }
    : undefined;
}

function dedupe(ports: readonly InboundPort[]): readonly InboundPort[] {
  const seen = new Map<number, InboundPort>();
  for (const port of ports) if (!seen.has(port.port)) seen.set(port.port, port);
  return [...seen.values()].sort((a, b) => a.port - b.port);
}
