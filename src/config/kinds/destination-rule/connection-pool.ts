// ConnectionPoolSettings and OutlierDetection: limits towards the endpoints of a service.
import { needsOneOf, notNegative, percentIn } from '../../rules/fields.ts';
import {
  boolean,
  deprecated,
  duration,
  durationOrZero,
  enumOf,
  type Infer,
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
    maxConnections: int32,
    connectTimeout: duration,
    tcpKeepalive: TcpKeepalive,
    maxConnectionDuration: duration,
    idleTimeout: durationOrZero,
  },
  { rules: [notNegative('maxConnections')] },
);
export type TCPSettings = Infer<typeof TCPSettings>;

export const ConnectionKeepalive = message('ConnectionKeepalive', { interval: required(duration), timeout: required(duration) });
export type ConnectionKeepalive = Infer<typeof ConnectionKeepalive>;

export const HTTPSettings = message(
  'HTTPSettings',
  {
    http1MaxPendingRequests: int32,
    http2MaxRequests: int32,
    maxRequestsPerConnection: int32,
    maxRetries: int32,
    maxConcurrentStreams: int32,
    idleTimeout: duration,
    h2UpgradePolicy: enumOf(['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE']),
    useClientProtocol: boolean,
    http2KeepAlive: ConnectionKeepalive,
  },
  {
    rules: [
      notNegative('http1MaxPendingRequests', 'http2MaxRequests', 'maxRequestsPerConnection', 'maxRetries', 'maxConcurrentStreams'),
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
    consecutiveErrors: deprecated(int32, 'consecutiveGatewayErrors or consecutive5xxErrors'),
    splitExternalLocalOriginErrors: boolean,
    consecutiveLocalOriginFailures: uint32,
    consecutiveGatewayErrors: uint32,
    consecutive5xxErrors: uint32,
    interval: duration,
    baseEjectionTime: duration,
    maxEjectionPercent: int32,
    minHealthPercent: int32,
    outlierDetectionHttpErrorCodes: list(integerIn(100, 599)),
  },
  {
    rules: [
      percentIn('maxEjectionPercent', 'minHealthPercent'),
      ({ consecutiveLocalOriginFailures = 0, splitExternalLocalOriginErrors }, context) => {
        if (consecutiveLocalOriginFailures > 0 && !splitExternalLocalOriginErrors) {
          context.report('MT0108', ['consecutiveLocalOriginFailures'], '{} needs splitExternalLocalOriginErrors: true');
        }
      },
    ],
  },
);
export type OutlierDetection = Infer<typeof OutlierDetection>;
