// How a cluster speaks HTTP with its hosts.
import type { Cluster } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type {
  Http1ProtocolOptions,
  Http2ProtocolOptions,
} from '@meltemi/envoy-api/envoy/config/core/v3/protocol';
import type { HttpProtocolOptions } from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import { millis } from '../../codec/duration.ts';
import { compileH2Options, type H2Options } from '../http/h2-options.ts';

export type HttpMode = 'h1' | 'h2' | 'downstream' | 'auto';

export interface UpstreamHttpPlan {
  readonly mode: HttpMode;
  readonly idleTimeout: number;
  readonly maxRequestsPerConnection: number;
  readonly maxHeaders: number;
  readonly maxStreamDuration: number;
  readonly maxConnectionDuration: number;
  readonly h2: H2Options;
  /** Trailers of HTTP/1.1 messages are passed on rather than dropped. */
  readonly trailers: boolean;
  readonly autoSni: boolean;
  readonly autoSniHeader: string;
  readonly autoSanValidation: boolean;
}

/** The options of the extension come before the older ones of the cluster itself. */
export function planUpstreamHttp(
  source: Cluster,
  options: HttpProtocolOptions | undefined,
): UpstreamHttpPlan {
  const common = options?.commonHttpProtocolOptions ?? source.commonHttpProtocolOptions;
  const upstream = options?.upstreamHttpProtocolOptions ?? source.upstreamHttpProtocolOptions;
  return {
    mode: modeOf(options),
    idleTimeout: millis(common?.idleTimeout) ?? 3_600_000,
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? source.maxRequestsPerConnection ?? 0,
    maxHeaders: common?.maxHeadersCount ?? 100,
    maxStreamDuration: millis(common?.maxStreamDuration) ?? 0,
    maxConnectionDuration: millis(common?.maxConnectionDuration) ?? 0,
    h2: compileH2Options(http2OptionsOf(options, source)),
    trailers: http1OptionsOf(options, source)?.enableTrailers ?? false,
    autoSni: upstream?.autoSni ?? false,
    autoSniHeader: upstream?.overrideAutoSniHeader ?? '',
    autoSanValidation: upstream?.autoSanValidation ?? false,
  };
}

function modeOf(options: HttpProtocolOptions | undefined): HttpMode {
  const protocol = options?.upstreamProtocolOptions;
  switch (protocol?.case) {
    case 'explicitHttpConfig':
      return protocol.value.protocolConfig.case === 'http2ProtocolOptions' ? 'h2' : 'h1';
    case 'useDownstreamProtocolConfig':
      return 'downstream';
    case 'autoConfig':
      return 'auto';
    default:
      return 'h1';
  }
}

function http1OptionsOf(
  options: HttpProtocolOptions | undefined,
  source: Cluster,
): Http1ProtocolOptions | undefined {
  const protocol = options?.upstreamProtocolOptions;
  switch (protocol?.case) {
    case 'explicitHttpConfig': {
      const { protocolConfig } = protocol.value;
      return protocolConfig.case === 'httpProtocolOptions' ? protocolConfig.value : undefined;
    }
    case 'useDownstreamProtocolConfig':
    case 'autoConfig':
      return protocol.value.httpProtocolOptions;
    default:
      return source.httpProtocolOptions;
  }
}

function http2OptionsOf(
  options: HttpProtocolOptions | undefined,
  source: Cluster,
): Http2ProtocolOptions | undefined {
  const protocol = options?.upstreamProtocolOptions;
  switch (protocol?.case) {
    case 'explicitHttpConfig': {
      const { protocolConfig } = protocol.value;
      return protocolConfig.case === 'http2ProtocolOptions' ? protocolConfig.value : undefined;
    }
    case 'useDownstreamProtocolConfig':
    case 'autoConfig':
      return protocol.value.http2ProtocolOptions;
    default:
      return source.http2ProtocolOptions;
  }
}
