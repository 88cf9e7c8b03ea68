// The HTTP connection manager of every kind of listener.

import type { DescMessage } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { type Filter, FilterSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import type { RouteConfigurationSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { CorsSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/cors/v3/cors';
import { HTTPFaultSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import { FilterConfigSchema as GrpcStatsSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/grpc_stats/v3/config';
import { GrpcWebSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/grpc_web/v3/grpc_web';
import { RouterSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/router/v3/router';
import {
  HttpConnectionManager_ForwardClientCertDetails as ForwardClientCert,
  HttpConnectionManagerSchema,
  type HttpConnectionManagerSchema as Schema,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
  HttpConnectionManager_PathWithEscapedSlashesAction as SlashesAction,
} from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { UuidRequestIdConfigSchema } from '@meltemi/envoy-api/envoy/extensions/request_id/uuid/v3/uuid';
import type { MeshConfig } from '../../config/index.ts';
import { accessLogs } from '../features/access-log.ts';
import { dynamicDnsHttpFilter } from '../features/dynamic-dns.ts';
import { type ProxyHeaders, proxyHeaders } from '../features/proxy-headers.ts';
import { any, duration, fromAds, type Init } from '../wire.ts';

type ManagerInit = Init<typeof Schema>;

export type RouteSource =
  | { readonly kind: 'rds'; readonly name: string }
  | { readonly kind: 'inline'; readonly config: Init<typeof RouteConfigurationSchema> };

export interface HttpConnectionOptions {
  readonly side: 'outbound' | 'inbound' | 'gateway';
  readonly statPrefix: string;
  readonly routes: RouteSource;
  readonly mesh: MeshConfig;
  readonly grpcWeb?: boolean;
  /** HTTP/2 only, as declared for the port. */
  readonly http2?: boolean;
  /** Whether some route leads to hosts that are looked up when a request names them. */
  readonly dynamicDns?: boolean;
}

export function httpConnectionManager(options: HttpConnectionOptions): Filter {
  const manager: ManagerInit = {
    statPrefix: options.statPrefix,
    routeSpecifier: routeSpecifier(options.routes),
    httpFilters: httpFilters(options, proxyHeaders(options.mesh)),
    accessLog: accessLogs(options.mesh),
    proxy100Continue: true,
    upgradeConfigs: [{ upgradeType: 'websocket' }],
    streamIdleTimeout: duration(0),
    // No tracer is configured; with sampling decided, Envoy still tells the next hop the route's operation
    // (`x-envoy-decorator-operation`).
    tracing: {
      clientSampling: { value: 100 },
      randomSampling: { value: 1 },
      overallSampling: { value: 100 },
    },
    requestIdExtension: { typedConfig: requestIds },
    ...addedHeaders(options.mesh),
    ...(options.http2 ? { http2ProtocolOptions: {} } : {}),
    ...pathNormalization(options.mesh),
    ...clientSide(options),
  };
  return create(FilterSchema, {
    name: 'envoy.filters.network.http_connection_manager',
    configType: { case: 'typedConfig', value: any(HttpConnectionManagerSchema, manager) },
  });
}

const requestIds = any(UuidRequestIdConfigSchema, { useRequestIdForTraceSampling: true });

function routeSpecifier(routes: RouteSource): ManagerInit['routeSpecifier'] {
  return routes.kind === 'rds'
    ? { case: 'rds', value: { configSource: fromAds, routeConfigName: routes.name } }
    : { case: 'routeConfig', value: { validateClusters: false, ...routes.config } };
}

function addedHeaders(mesh: MeshConfig): ManagerInit {
  const { requestId } = proxyHeaders(mesh);
  return requestId?.disabled ? { generateRequestId: false } : {};
}

function serverHeader(mesh: MeshConfig): ManagerInit {
  const { server } = proxyHeaders(mesh);
  if (server?.disabled) return { serverHeaderTransformation: ServerHeader.PASS_THROUGH };
  return { serverName: server?.value || serverName };
}

// What each side tells the next of the client:
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers
function clientSide({ side, mesh }: HttpConnectionOptions): ManagerInit {
  const topology = mesh.defaultConfig?.gatewayTopology;
  switch (side) {
    case 'outbound':
      return { useRemoteAddress: false, ...(proxyHeaders(mesh).server ? serverHeader(mesh) : {}) };
    case 'inbound':
      return {
        useRemoteAddress: false,
        ...serverHeader(mesh),
        forwardClientCertDetails: ForwardClientCert.APPEND_FORWARD,
        setCurrentClientCertDetails: { subject: true, dns: true, uri: true },
      };
    case 'gateway':
      return {
        useRemoteAddress: true,
        xffNumTrustedHops: topology?.numTrustedProxies ?? 0,
        ...serverHeader(mesh),
        httpProtocolOptions: {},
        forwardClientCertDetails: clientCertDetails(topology?.forwardClientCertDetails),
        setCurrentClientCertDetails: { subject: true, cert: true, dns: true, uri: true },
      };
  }
}

const serverName = 'istio-envoy';

function clientCertDetails(text: string | undefined): ForwardClientCert {
  switch (text) {
    case 'SANITIZE':
      return ForwardClientCert.SANITIZE;
    case 'FORWARD_ONLY':
      return ForwardClientCert.FORWARD_ONLY;
    case 'APPEND_FORWARD':
      return ForwardClientCert.APPEND_FORWARD;
    case 'ALWAYS_FORWARD_ONLY':
      return ForwardClientCert.ALWAYS_FORWARD_ONLY;
    default:
      return ForwardClientCert.SANITIZE_SET;
  }
}

/** https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-ProxyPathNormalization */
function pathNormalization(mesh: MeshConfig): ManagerInit {
  switch (mesh.pathNormalization?.normalization) {
    case 'NONE':
      return {};
    case 'MERGE_SLASHES':
      return {
        normalizePath: true,
        mergeSlashes: true,
        pathWithEscapedSlashesAction: SlashesAction.KEEP_UNCHANGED,
      };
    case 'DECODE_AND_MERGE_SLASHES':
      return {
        normalizePath: true,
        mergeSlashes: true,
        pathWithEscapedSlashesAction: SlashesAction.UNESCAPE_AND_FORWARD,
      };
    default:
      return { normalizePath: true, pathWithEscapedSlashesAction: SlashesAction.KEEP_UNCHANGED };
  }
}

type HttpFilterInit = NonNullable<ManagerInit['httpFilters']>[number];

/**
 * In order: translation of gRPC-Web before anything looks at the request, faults before CORS, the router
 * last.
 */
function httpFilters(
  { grpcWeb, dynamicDns, mesh }: HttpConnectionOptions,
  headers: ProxyHeaders,
): HttpFilterInit[] {
  return [
    ...(grpcWeb ? [filter('envoy.filters.http.grpc_web', GrpcWebSchema, {})] : []),
    filter('envoy.filters.http.grpc_stats', GrpcStatsSchema, {
      emitFilterState: true,
      perMethodStatSpecifier: { case: 'statsForAllMethods', value: { value: false } },
    }),
    filter('envoy.filters.http.fault', HTTPFaultSchema, {}),
    filter('envoy.filters.http.cors', CorsSchema, {}),
    ...(dynamicDns ? [dynamicDnsHttpFilter(mesh)] : []),
    filter('envoy.filters.http.router', RouterSchema, {
      suppressEnvoyHeaders: headers.envoyDebugHeaders?.disabled ?? false,
    }),
  ];
}

function filter<D extends DescMessage>(name: string, schema: D, init: Init<D>): HttpFilterInit {
  return { name, configType: { case: 'typedConfig', value: any(schema, init) } };
}
