// Connection pools and the limits that make a circuit breaker.
// https://istio.io/latest/docs/reference/config/networking/destination-rule/#ConnectionPoolSettings
import { create } from '@bufbuild/protobuf';
import {
  type CircuitBreakers_Thresholds_RetryBudget,
  CircuitBreakers_Thresholds_RetryBudgetSchema,
  type CircuitBreakers_ThresholdsSchema,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/circuit_breaker';
import type { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type {
  HttpProtocolOptionsSchema as CommonHttpOptionsSchema,
  Http2ProtocolOptionsSchema,
} from '@meltemi/envoy-api/envoy/config/core/v3/protocol';
import {
  type HttpProtocolOptions,
  HttpProtocolOptionsSchema,
} from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import type { Millis } from '../../base/index.ts';
import type { ConnectionPoolSettings, MeshConfig, TrafficPolicy } from '../../config/index.ts';
import { isHttp2, type Protocol } from '../../registry/index.ts';
import { addBudgetInterval } from '../newer-fields.ts';
import { duration, type Init } from '../wire.ts';

type ClusterInit = Init<typeof ClusterSchema>;
type CommonHttpOptions = Init<typeof CommonHttpOptionsSchema>;

/** What Envoy takes for "no limit". */
const unlimited = 0xffffffff;

type RetryBudget = NonNullable<TrafficPolicy['retryBudget']>;
const defaultBudgetPercent = 20;
const defaultBudgetConcurrency = 3;

export const unlimitedBreakers = { thresholds: [thresholds(undefined)] };

function thresholds(
  pool: ConnectionPoolSettings | undefined,
  budget?: RetryBudget,
): Init<typeof CircuitBreakers_ThresholdsSchema> {
  return {
    maxConnections: pool?.tcp?.maxConnections || unlimited,
    maxPendingRequests: pool?.http?.http1MaxPendingRequests || unlimited,
    maxRequests: pool?.http?.http2MaxRequests || unlimited,
    maxRetries: pool?.http?.maxRetries || unlimited,
    retryBudget: budget && retryBudget(budget),
  };
}

function retryBudget({
  percent,
  minRetryConcurrency,
  budgetInterval,
}: RetryBudget): CircuitBreakers_Thresholds_RetryBudget {
  const budget = create(CircuitBreakers_Thresholds_RetryBudgetSchema, {
    budgetPercent: { value: percent ?? defaultBudgetPercent },
    minRetryConcurrency: minRetryConcurrency ?? defaultBudgetConcurrency,
  });
  if (budgetInterval !== undefined) addBudgetInterval(budget, budgetInterval);
  return budget;
}

export function connectionPool(
  pool: ConnectionPoolSettings | undefined,
  mesh: MeshConfig,
  budget?: RetryBudget,
): ClusterInit {
  const keepalive = { ...mesh.tcpKeepalive, ...pool?.tcp?.tcpKeepalive };
  const connectTimeout = pool?.tcp?.connectTimeout;
  return {
    circuitBreakers: { thresholds: [thresholds(pool, budget)] },
    ...(connectTimeout === undefined ? {} : { connectTimeout: duration(connectTimeout) }),
    ...(mesh.tcpKeepalive || pool?.tcp?.tcpKeepalive
      ? {
          upstreamConnectionOptions: {
            tcpKeepalive: {
              keepaliveProbes: keepalive.probes || undefined,
              keepaliveTime: wholeSeconds(keepalive.time),
              keepaliveInterval: wholeSeconds(keepalive.interval),
            },
          },
        }
      : {}),
  };
}

function wholeSeconds(ms: Millis | undefined): number | undefined {
  return ms === undefined ? undefined : Math.min(Math.trunc(ms / 1000), unlimited);
}

/** Undefined when Envoy's own defaults say the same: HTTP/1.1 and no limits. */
export function httpProtocolOptions(
  protocol: Protocol,
  pool: ConnectionPoolSettings | undefined,
  upgrade: boolean,
): HttpProtocolOptions | undefined {
  const common = commonOptions(pool);
  const http2 = isHttp2(protocol) || upgrade;
  const followsClient = pool?.http?.useClientProtocol === true || protocol === 'auto';
  if (!common && !http2 && !followsClient) return undefined;
  return create(HttpProtocolOptionsSchema, {
    commonHttpProtocolOptions: common,
    upstreamProtocolOptions: followsClient
      ? {
          case: 'useDownstreamProtocolConfig',
          value: { httpProtocolOptions: {}, http2ProtocolOptions: http2Options(pool) },
        }
      : {
          case: 'explicitHttpConfig',
          value: {
            protocolConfig: http2
              ? { case: 'http2ProtocolOptions', value: http2Options(pool) }
              : { case: 'httpProtocolOptions', value: {} },
          },
        },
  });
}

/** Whether a plain HTTP port is to be spoken to in HTTP/2. */
export function upgradesToHttp2(
  protocol: Protocol,
  pool: ConnectionPoolSettings | undefined,
  mesh: MeshConfig,
): boolean {
  if (protocol !== 'http' || pool?.http?.useClientProtocol) return false;
  const own = pool?.http?.h2UpgradePolicy ?? 'DEFAULT';
  return own === 'UPGRADE' || (own === 'DEFAULT' && mesh.h2UpgradePolicy === 'UPGRADE');
}

function commonOptions(pool: ConnectionPoolSettings | undefined): CommonHttpOptions | undefined {
  const idle = pool?.http?.idleTimeout ?? pool?.tcp?.idleTimeout;
  const options: CommonHttpOptions = {
    ...(idle === undefined ? {} : { idleTimeout: duration(idle) }),
    ...(pool?.http?.maxRequestsPerConnection
      ? { maxRequestsPerConnection: pool.http.maxRequestsPerConnection }
      : {}),
    ...(pool?.tcp?.maxConnectionDuration === undefined
      ? {}
      : { maxConnectionDuration: duration(pool.tcp.maxConnectionDuration) }),
  };
  return Object.keys(options).length > 0 ? options : undefined;
}

function http2Options(pool: ConnectionPoolSettings | undefined): Init<typeof Http2ProtocolOptionsSchema> {
  const keepalive = pool?.http?.http2KeepAlive;
  return {
    ...(pool?.http?.maxConcurrentStreams ? { maxConcurrentStreams: pool.http.maxConcurrentStreams } : {}),
    ...(keepalive
      ? {
          connectionKeepalive: {
            interval: duration(keepalive.interval ?? 0),
            timeout: duration(keepalive.timeout ?? 0),
          },
        }
      : {}),
  };
}
