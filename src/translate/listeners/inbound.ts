// The inbound side: filter chains for what a workload serves, by protocol and by the mutual TLS in force.
import { create } from '@bufbuild/protobuf';
import { TrafficDirection } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import {
  type FilterChain,
  type FilterChainMatchSchema,
  FilterChainSchema,
  type ListenerFilter,
} from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import type { RouteConfigurationSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import type { MeshSettings, MutualTlsMode } from '../../mesh/index.ts';
import { isHttp, isHttp2, type Protocol } from '../../registry/index.ts';
import { listenerAccessLogs } from '../features/access-log.ts';
import { inboundMeshTls, serverTls } from '../features/downstream-tls.ts';
import type { InboundPlan, InboundPort } from '../inbound-plan.ts';
import { blackHoleCluster, inboundClusterName, inboundPassthroughCluster, listenerName } from '../names.ts';
import { madeOf } from '../origins.ts';
import { duration, type Init, socketAddress } from '../wire.ts';
import { inboundCapturePort } from './capture-ports.ts';
import { httpConnectionManager } from './http-connection-manager.ts';
import { httpInspector, originalDestination, tlsInspector, tlsInspectorOn } from './listener-filters.ts';
import { tcpTo } from './tcp-proxy.ts';

type Match = Init<typeof FilterChainMatchSchema>;

/** One kind of connection to a port, and what becomes of it. */
interface ChainShape {
  readonly match: Match;
  readonly serves: 'http' | 'tcp';
  readonly terminatesTls: boolean;
}

const meshHttp = ['istio-http/1.0', 'istio-http/1.1', 'istio-h2'];
const meshTcp = ['istio-peer-exchange', 'istio'];
const plainHttp = ['http/1.1', 'h2c'];

const tls = (applicationProtocols: string[], serves: 'http' | 'tcp'): ChainShape => ({
  match: { transportProtocol: 'tls', applicationProtocols },
  serves,
  terminatesTls: true,
});
const plain = (applicationProtocols: string[], serves: 'http' | 'tcp'): ChainShape => ({
  match: { transportProtocol: 'raw_buffer', applicationProtocols },
  serves,
  terminatesTls: false,
});
const opaqueTls: ChainShape = { match: { transportProtocol: 'tls' }, serves: 'tcp', terminatesTls: false };

/**
 * https://istio.io/latest/docs/reference/config/security/peer_authentication/#PeerAuthentication-MutualTLS-Mode
 */
function chainShapes(protocol: Protocol, mode: MutualTlsMode): readonly ChainShape[] {
  const declared = isHttp(protocol) ? 'http' : 'tcp';
  const kind = protocol === 'auto' ? 'auto' : declared;
  const known = [...meshTcp.toReversed(), ...meshHttp];
  const shapes = {
    STRICT: { http: [tls([], 'http')], tcp: [tls([], 'tcp')], auto: [tls(meshHttp, 'http'), tls([], 'tcp')] },
    PERMISSIVE: {
      http: [tls(known, 'http'), plain([], 'http')],
      tcp: [tls(known, 'tcp'), opaqueTls, plain([], 'tcp')],
      auto: [
        tls(meshHttp, 'http'),
        plain(plainHttp, 'http'),
        tls(meshTcp, 'tcp'),
        plain([], 'tcp'),
        opaqueTls,
      ],
    },
    DISABLE: {
      http: [plain([], 'http')],
      tcp: [plain([], 'tcp')],
      auto: [plain(plainHttp, 'http'), plain([], 'tcp')],
    },
  };
  return shapes[mode][kind];
}

/** All captured inbound connections. */
export function virtualInbound(plan: InboundPlan, settings: MeshSettings): Listener {
  const capturePort = inboundCapturePort(settings.config);
  const modes = [plan.mutualTls, ...[...plan.ports, ...plan.undeclared].map((port) => port.mutualTls)];
  const detected = (port: InboundPort): boolean => port.protocol === 'auto';
  const knownPorts = plan.ports.filter((port) => !detected(port)).map((port) => port.port);
  return create(ListenerSchema, {
    name: 'virtualInbound',
    address: socketAddress('0.0.0.0', capturePort),
    trafficDirection: TrafficDirection.INBOUND,
    filterChains: [
      blackHoleChain(capturePort, settings),
      ...undeclaredChains(plan.mutualTls, settings),
      ...plan.undeclared.flatMap(({ port, mutualTls }) => undeclaredChains(mutualTls, settings, port)),
      ...plan.ports.filter(({ boundTo }) => !boundTo).flatMap((port) => portChains(port, settings, true)),
    ],
    listenerFilters: [
      originalDestination(),
      ...inboundTlsInspector(plan, capturePort),
      ...(modes.some((mode) => mode !== 'STRICT') ? [httpInspector([...knownPorts, capturePort])] : []),
    ],
    listenerFiltersTimeout: duration(settings.detectionTimeoutMs),
    continueOnListenerFiltersTimeout: true,
    accessLog: listenerAccessLogs(settings.config),
  });
}

/** Looks for TLS where some filter chain wants to know of it; elsewhere TLS is bytes like any others. */
function inboundTlsInspector(plan: InboundPlan, capturePort: number): readonly ListenerFilter[] {
  const ports: readonly Pick<InboundPort, 'port' | 'mutualTls' | 'tls'>[] = [
    ...plan.ports,
    ...plan.undeclared,
  ];
  const looks = ports.filter(looksForTls).map(({ port }) => port);
  if (plan.mutualTls === 'DISABLE') return looks.length > 0 ? [tlsInspectorOn(looks)] : [];
  return [tlsInspector([...ports.filter((port) => !looksForTls(port)).map(({ port }) => port), capturePort])];
}

function looksForTls({ mutualTls, tls }: Pick<InboundPort, 'mutualTls' | 'tls'>): boolean {
  return mutualTls !== 'DISABLE' || tls !== undefined;
}

/**
 * The ports that have listeners of their own, by the names of these: nothing captures connections to them.
 */
export function boundPorts({ ports }: InboundPlan): ReadonlyMap<string, InboundPort> {
  return new Map(
    ports.flatMap((port) => (port.boundTo ? [[listenerName(port.boundTo, port.port), port]] : [])),
  );
}

export function boundInbound(port: InboundPort, settings: MeshSettings): Listener {
  const { boundTo = '127.0.0.1' } = port;
  return create(ListenerSchema, {
    name: listenerName(boundTo, port.port),
    address: socketAddress(boundTo, port.port),
    trafficDirection: TrafficDirection.INBOUND,
    filterChains: portChains(port, settings, false),
    listenerFilters: [
      ...(looksForTls(port) ? [tlsInspector()] : []),
      ...(port.protocol === 'auto' ? [httpInspector()] : []),
    ],
    listenerFiltersTimeout: duration(settings.detectionTimeoutMs),
    continueOnListenerFiltersTimeout: true,
    accessLog: listenerAccessLogs(settings.config),
  });
}

// Dialling the capture port itself would loop.
function blackHoleChain(port: number, { config }: MeshSettings): FilterChain {
  return create(FilterChainSchema, {
    name: 'virtualInbound-blackhole',
    filterChainMatch: { destinationPort: port },
    filters: [tcpTo(blackHoleCluster, config)],
  });
}

function undeclaredChains(
  mode: MutualTlsMode,
  settings: MeshSettings,
  port?: number,
): readonly FilterChain[] {
  const routes = routeTo({ cluster: inboundPassthroughCluster, port: 0, hostname: '', protocol: 'auto' });
  return chainShapes('auto', mode).map((shape) =>
    create(FilterChainSchema, {
      name: shape.serves === 'http' ? 'virtualInbound-catchall-http' : 'virtualInbound',
      filterChainMatch: { ...shape.match, destinationPort: port },
      filters: [
        shape.serves === 'http'
          ? httpConnectionManager({
              side: 'inbound',
              statPrefix: `${inboundPassthroughCluster};`,
              routes: { kind: 'inline', config: routes },
              mesh: settings.config,
            })
          : tcpTo(inboundPassthroughCluster, settings.config),
      ],
      transportSocket: shape.terminatesTls ? inboundMeshTls(settings) : undefined,
    }),
  );
}

function portChains(port: InboundPort, settings: MeshSettings, captured: boolean): FilterChain[] {
  const cluster = inboundClusterName(port.port);
  const name = listenerName(port.address, port.port);
  return portShapes(port).map((shape) => {
    const chain = create(FilterChainSchema, {
      name,
      filterChainMatch: { ...shape.match, destinationPort: captured ? port.port : undefined },
      filters: [
        shape.serves === 'http'
          ? httpConnectionManager({
              side: 'inbound',
              statPrefix: `inbound_${name};`,
              routes: {
                kind: 'inline',
                config: routeTo({
                  cluster,
                  port: port.servicePort,
                  hostname: port.hostname,
                  protocol: port.protocol,
                }),
              },
              mesh: settings.config,
              grpcWeb: port.protocol === 'grpc-web',
              http2: isHttp2(port.protocol),
            })
          : tcpTo(cluster, settings.config),
      ],
      transportSocket: shape.terminatesTls ? portTls(port, settings) : undefined,
    });
    return madeOf(chain, port.origin);
  });
}

/**
 * What a Sidecar's ingress listener declares takes the place of the mesh's TLS; HTTPS that it ends is HTTP.
 */
function portShapes({ protocol, mutualTls, tls: own }: InboundPort): readonly ChainShape[] {
  if (own === undefined) return chainShapes(protocol, mutualTls);
  return [tls([], isHttp(protocol) || protocol === 'https' ? 'http' : 'tcp')];
}

function portTls({ tls: own }: InboundPort, settings: MeshSettings): FilterChain['transportSocket'] {
  return own === undefined ? inboundMeshTls(settings) : serverTls(own, true, settings.config.tlsDefaults);
}

interface InboundRoute {
  readonly cluster: string;
  readonly port: number;
  readonly hostname: string;
  readonly protocol: Protocol;
}

function routeTo({ cluster, port, hostname, protocol }: InboundRoute): Init<typeof RouteConfigurationSchema> {
  // A stream of gRPC must not be sent twice.
  const isGrpc = protocol === 'grpc' || protocol === 'grpc-web';
  return {
    name: cluster,
    virtualHosts: [
      {
        name: `inbound|http|${port}`,
        domains: ['*'],
        routes: [
          {
            name: 'default',
            match: { pathSpecifier: { case: 'prefix', value: '/' } },
            decorator: { operation: `${hostname}:${port}/*` },
            action: {
              case: 'route',
              value: {
                clusterSpecifier: { case: 'cluster', value: cluster },
                timeout: duration(0),
                retryPolicy: isGrpc ? undefined : { retryOn: 'reset-before-request', numRetries: 2 },
                maxStreamDuration: { maxStreamDuration: duration(0), grpcTimeoutHeaderMax: duration(0) },
              },
            },
          },
        ],
      },
    ],
  };
}
