// ConnectionPoolSettings and OutlierDetection: limits towards the endpoints of a service.
import { needsOneOf, notNegative, percentIn } from '../../rules/fields.ts';
import {
  boolean,
  duration,
  durationOrZero,
  enumOf,
  field,
  type Infer,
  ignored,
  int32,
  integerIn,
  list,
  message,
  required,
  uint32,
} from '../../schema/index.ts';
import { TcpKeepalive } from '../shared.ts';

export const TCPSettings = message(
  'TCPSettings',
  {
    maxConnections: field(int32, 'CircuitBreakers.Thresholds.max_connections'),
    connectTimeout: field(duration, 'Cluster.connect_timeout'),
    tcpKeepalive: TcpKeepalive,
    maxConnectionDuration: field(
      duration,
      'HttpProtocolOptions.max_connection_duration; TcpProxy.max_downstream_connection_duration',
    ),
    idleTimeout: field(durationOrZero, 'HttpProtocolOptions.idle_timeout; TcpProxy.idle_timeout'),
  },
  { rules: [notNegative('maxConnections')] },
);
export type TCPSettings = Infer<typeof TCPSettings>;

export const ConnectionKeepalive = message('ConnectionKeepalive', {
  interval: required(duration, 'Http2ProtocolOptions.connection_keepalive.interval'),
  timeout: required(duration, 'Http2ProtocolOptions.connection_keepalive.timeout'),
});
export type ConnectionKeepalive = Infer<typeof ConnectionKeepalive>;

export const HTTPSettings = message(
  'HTTPSettings',
  {
    http1MaxPendingRequests: field(int32, 'CircuitBreakers.Thresholds.max_pending_requests'),
    http2MaxRequests: field(int32, 'CircuitBreakers.Thresholds.max_requests'),
    maxRequestsPerConnection: field(int32, 'HttpProtocolOptions.max_requests_per_connection'),
    maxRetries: field(int32, 'CircuitBreakers.Thresholds.max_retries'),
    maxConcurrentStreams: field(int32, 'Http2ProtocolOptions.max_concurrent_streams'),
    idleTimeout: field(duration, 'HttpProtocolOptions.idle_timeout'),
    h2UpgradePolicy: field(
      enumOf(['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE']),
      'HttpProtocolOptions.explicit_http_config',
    ),
    useClientProtocol: field(boolean, 'HttpProtocolOptions.use_downstream_protocol_config'),
    http2KeepAlive: ConnectionKeepalive,
  },
  {
    rules: [
      notNegative(
        'http1MaxPendingRequests',
        'http2MaxRequests',
        'maxRequestsPerConnection',
        'maxRetries',
        'maxConcurrentStreams',
      ),
      ({ useClientProtocol, h2UpgradePolicy }, context) => {
        if (useClientProtocol && h2UpgradePolicy === 'UPGRADE')
          context.report('MT0108', ['useClientProtocol'], '{} cannot stand beside h2UpgradePolicy: UPGRADE');
      },
    ],
  },
);
export type HTTPSettings = Infer<typeof HTTPSettings>;

export const ConnectionPoolSettings = message(
  'ConnectionPoolSettings',
  { tcp: TCPSettings, http: HTTPSettings },
  { rules: [needsOneOf('MT0121', 'tcp', 'http')] },
);
export type ConnectionPoolSettings = Infer<typeof ConnectionPoolSettings>;

export const OutlierDetection = message(
  'OutlierDetection',
  {
    consecutiveErrors: ignored(int32, 'Istio ignores it as well', {
      deprecated: 'consecutiveGatewayErrors or consecutive5xxErrors',
    }),
    splitExternalLocalOriginErrors: field(boolean, 'OutlierDetection.split_external_local_origin_errors'),
    consecutiveLocalOriginFailures: field(uint32, 'OutlierDetection.consecutive_local_origin_failure'),
    consecutiveGatewayErrors: field(uint32, 'OutlierDetection.consecutive_gateway_failure'),
    consecutive5xxErrors: field(uint32, 'OutlierDetection.consecutive_5xx'),
    interval: field(duration, 'OutlierDetection.interval'),
    baseEjectionTime: field(duration, 'OutlierDetection.base_ejection_time'),
    maxEjectionPercent: field(int32, 'OutlierDetection.max_ejection_percent'),
    minHealthPercent: field(int32, 'Cluster.common_lb_config.healthy_panic_threshold'),
    outlierDetectionHttpErrorCodes: field(
      list(integerIn(100, 599)),
      'HttpProtocolOptions.outlier_detection.error_matcher',
    ),
  },
  {
    rules: [
      percentIn('maxEjectionPercent', 'minHealthPercent'),
      ({ consecutiveLocalOriginFailures = 0, splitExternalLocalOriginErrors }, context) => {
        if (consecutiveLocalOriginFailures > 0 && !splitExternalLocalOriginErrors) {
          context.report(
            'MT0108',
            ['consecutiveLocalOriginFailures'],
            '{} needs splitExternalLocalOriginErrors: true',
          );
        }
      },
    ],
  },
);
export type OutlierDetection = Infer<typeof OutlierDetection>;
