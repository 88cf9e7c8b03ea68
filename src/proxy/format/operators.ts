// The command operators of configured text: what `%NAME%` and `%NAME(…)%` stand for. One table for header
// values and access logs.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators

import type { HeaderView } from '../codec/http/request-view.ts';
import { requestHeader } from '../codec/http/request-view.ts';
import { wireText } from '../codec/wire-text.ts';
import { between, durationOperator } from './durations.ts';
import type { FormatContext, TlsNames } from './format-context.ts';
import { grpcStatus, grpcStatusOperator } from './grpc-status.ts';
import { child } from './metadata-value.ts';
import type { Operator } from './operator.ts';
import { longFlags } from './response-flags.ts';
import { compileTimeFormat } from './time-format.ts';

export interface Command {
  readonly name: string;
  /** What stands in brackets. */
  readonly args: string | undefined;
}

/** Undefined for what there is no operator for. */
export function operatorOf({ name, args }: Command, problems: string[]): Operator | undefined {
  const make = Object.hasOwn(withArguments, name) ? withArguments[name] : undefined;
  if (make) return make(args ?? '', problems);
  if (args !== undefined) return undefined;
  if (unknowable.has(name)) return () => undefined;
  return Object.hasOwn(plain, name) ? plain[name] : undefined;
}

/** Known to Envoy, and to nobody here. */
const unknowable: ReadonlySet<string> = new Set(
  [
    'BYTES_RETRANSMITTED PACKETS_RETRANSMITTED CUSTOM_FLAGS VIRTUAL_CLUSTER_NAME UPSTREAM_CONNECTION_ID',
    'UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT UPSTREAM_HEADER_BYTES_RECEIVED',
    'UPSTREAM_HEADER_BYTES_SENT DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT',
    'DOWNSTREAM_HEADER_BYTES_RECEIVED DOWNSTREAM_HEADER_BYTES_SENT ROUNDTRIP_DURATION',
    'DOWNSTREAM_HANDSHAKE_DURATION TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT TRACE_ID FILTER_CHAIN_NAME',
    'DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_CERT DOWNSTREAM_TLS_SESSION_ID',
    'DOWNSTREAM_PEER_IP_SAN DOWNSTREAM_PEER_EMAIL_SAN DOWNSTREAM_PEER_OTHERNAME_SAN',
    'DOWNSTREAM_LOCAL_IP_SAN DOWNSTREAM_LOCAL_EMAIL_SAN DOWNSTREAM_LOCAL_OTHERNAME_SAN',
    'DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1 DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256 DOWNSTREAM_PEER_CHAIN_SERIALS',
    'UPSTREAM_TLS_SESSION_ID UPSTREAM_PEER_ISSUER UPSTREAM_PEER_CERT UPSTREAM_LOCAL_URI_SAN',
    'UPSTREAM_LOCAL_DNS_SAN UPSTREAM_LOCAL_SUBJECT UPSTREAM_PEER_IP_SAN UPSTREAM_LOCAL_IP_SAN',
  ].flatMap((line) => line.split(' ')),
);

const plain: Readonly<Record<string, Operator>> = {
  PROTOCOL: (c) => c.protocol,
  UPSTREAM_PROTOCOL: (c) => c.upstreamProtocol,
  RESPONSE_CODE: (c) => c.responseCode ?? 0,
  RESPONSE_CODE_DETAILS: (c) => c.responseCodeDetails,
  CONNECTION_TERMINATION_DETAILS: (c) => c.connectionTerminationDetails,
  RESPONSE_FLAGS: (c) => c.responseFlags ?? '-',
  RESPONSE_FLAGS_LONG: (c) => longFlags(c.responseFlags),
  BYTES_RECEIVED: (c) => c.bytesReceived,
  BYTES_SENT: (c) => c.bytesSent,
  DURATION: (c) => (c.duration === undefined ? undefined : Math.floor(c.duration)),
  REQUEST_DURATION: between('DS_RX_BEG', 'DS_RX_END'),
  REQUEST_TX_DURATION: between('DS_RX_BEG', 'US_TX_END'),
  RESPONSE_DURATION: between('DS_RX_BEG', 'US_RX_BEG'),
  RESPONSE_TX_DURATION: between('US_RX_BEG', 'DS_TX_END'),
  ROUTE_NAME: (c) => named(c.routeName),
  VIRTUAL_HOST_NAME: (c) => named(c.virtualHostName),
  UPSTREAM_CLUSTER: (c) => named(c.clusterName),
  UPSTREAM_CLUSTER_RAW: (c) => named(c.clusterName),
  UPSTREAM_HOST: (c) => c.upstreamHost,
  UPSTREAM_HOST_NAME: (c) => named(c.upstreamHostname) ?? c.upstreamHost,
  UPSTREAM_HOST_NAME_WITHOUT_PORT: (c) => named(c.upstreamHostname) ?? ipOf(c.upstreamHost),
  ...addressOperators('UPSTREAM_REMOTE', (c) => c.upstreamRemoteAddress),
  ...addressOperators('UPSTREAM_LOCAL', (c) => c.upstreamLocalAddress),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: (c) => c.attemptCount,
  UPSTREAM_TRANSPORT_FAILURE_REASON: (c) => c.upstreamTransportFailureReason?.replaceAll(' ', '_'),
  UPSTREAM_TLS_VERSION: (c) => c.upstreamTls?.version,
  UPSTREAM_TLS_CIPHER: (c) => c.upstreamTls?.cipher,
  UPSTREAM_PEER_SUBJECT: (c) => c.upstreamTls?.peerSubject,
  UPSTREAM_PEER_URI_SAN: (c) => list(c.upstreamTls?.peerUriSans),
  UPSTREAM_PEER_DNS_SAN: (c) => list(c.upstreamTls?.peerDnsSans),
  ...addressOperators('DOWNSTREAM_REMOTE', (c) => c.downstreamRemoteAddress),
  ...addressOperators('DOWNSTREAM_DIRECT_REMOTE', (c) => c.downstreamDirectRemoteAddress),
  ...addressOperators('DOWNSTREAM_LOCAL', (c) => c.downstreamLocalAddress),
  ...addressOperators('DOWNSTREAM_DIRECT_LOCAL', (c) => c.downstreamLocalAddress),
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: (c) => c.downstreamTransportFailureReason?.replaceAll(' ', '_'),
  REQUESTED_SERVER_NAME: (c) => c.serverName,
  CONNECTION_ID: (c) => c.connectionId,
  STREAM_ID: (c) => c.streamId,
  UNIQUE_ID: (c) => c.streamId,
  HOSTNAME: (c) => c.hostname,
  LOCAL_REPLY_BODY: (c) => c.localReplyBody,
  ACCESS_LOG_TYPE: (c) => c.accessLogType,
  GRPC_STATUS_NUMBER: grpcStatus,
  REQUEST_HEADERS_BYTES: (c) => c.requestHeadersBytes,
  RESPONSE_HEADERS_BYTES: (c) => c.responseHeadersBytes,
  RESPONSE_TRAILERS_BYTES: (c) => c.responseTrailersBytes,
  ...tlsOperators('DOWNSTREAM_', (c) => c.downstreamTls),
};

function addressOperators(
  prefix: string,
  read: (context: FormatContext) => string | undefined,
): Readonly<Record<string, Operator>> {
  return {
    [`${prefix}_ADDRESS`]: read,
    [`${prefix}_ADDRESS_WITHOUT_PORT`]: (c) => ipOf(read(c)),
    [`${prefix}_PORT`]: (c) => portOf(read(c)),
  };
}

function tlsOperators(
  prefix: string,
  names: (context: FormatContext) => TlsNames | undefined,
): Readonly<Record<string, Operator>> {
  return {
    [`${prefix}PEER_URI_SAN`]: (c) => list(names(c)?.peerUriSans),
    [`${prefix}PEER_DNS_SAN`]: (c) => list(names(c)?.peerDnsSans),
    [`${prefix}LOCAL_URI_SAN`]: (c) => list(names(c)?.localUriSans),
    [`${prefix}LOCAL_DNS_SAN`]: (c) => list(names(c)?.localDnsSans),
    [`${prefix}PEER_SUBJECT`]: (c) => names(c)?.peerSubject,
    [`${prefix}LOCAL_SUBJECT`]: (c) => names(c)?.localSubject,
    [`${prefix}PEER_ISSUER`]: (c) => names(c)?.peerIssuer,
    [`${prefix}PEER_FINGERPRINT_256`]: (c) => names(c)?.peerFingerprint256,
    [`${prefix}PEER_SERIAL`]: (c) => names(c)?.peerSerial,
    [`${prefix}TLS_VERSION`]: (c) => names(c)?.version,
    [`${prefix}TLS_CIPHER`]: (c) => names(c)?.cipher,
  };
}

type OperatorMaker = (args: string, problems: string[]) => Operator | undefined;

const withArguments: Readonly<Record<string, OperatorMaker>> = {
  REQ: (args) => headerOperator(args, requestField),
  RESP: (args) => headerOperator(args, (c, name) => headerOf(c.response, name, c)),
  TRAILER: (args) => headerOperator(args, (c, name) => c.trailers?.get(name)),
  REQ_WITHOUT_QUERY: (args) => headerOperator(args, (c, name) => requestField(c, name)?.replace(/\?.*$/, '')),
  QUERY_PARAM: (args) => (args === '' ? undefined : (c) => queryParameter(c.request.path, args)),
  START_TIME: (args) => timeOperator(args, (c) => c.startTime),
  START_TIME_LOCAL: (args) => timeOperator(args, (c) => c.startTime),
  EMIT_TIME: (args) => timeOperator(args, (c) => emitTime(c)),
  EMIT_TIME_LOCAL: (args) => timeOperator(args, (c) => emitTime(c)),
  COMMON_DURATION: (args, problems) => durationOperator(args, problems),
  GRPC_STATUS: (args) => grpcStatusOperator(args === '' ? 'CAMEL_STRING' : args),
  DYNAMIC_METADATA: (args) => metadataOperator(args.split(':'), (c) => c.metadata),
  UPSTREAM_METADATA: (args) => metadataOperator(metadataPath(args), (c) => c.upstreamMetadata),
  CLUSTER_METADATA: (args) => (args === '' ? undefined : () => undefined),
  FILTER_STATE: (args) => (args ? (c) => c.filterState?.get(args.split(':')[0] ?? '') : undefined),
  UPSTREAM_FILTER_STATE: (args) => (args ? () => undefined : undefined),
  PER_REQUEST_STATE: (args) => (args ? (c) => c.filterState?.get(args) : undefined),
  DOWNSTREAM_PEER_CERT_V_START: () => () => undefined,
  DOWNSTREAM_PEER_CERT_V_END: () => () => undefined,
  UPSTREAM_PEER_CERT_V_START: () => () => undefined,
  UPSTREAM_PEER_CERT_V_END: () => () => undefined,
};

function timeOperator(
  args: string,
  read: (context: FormatContext) => number | undefined,
): Operator | undefined {
  const format = compileTimeFormat(args);
  if (!format) return undefined;
  return (c) => {
    const time = read(c);
    return time === undefined ? undefined : format(time);
  };
}

function emitTime({ startTime, duration }: FormatContext): number | undefined {
  return startTime === undefined || duration === undefined ? undefined : startTime + duration;
}

/** Empty names are none. */
function named(name: string | undefined): string | undefined {
  return name === undefined || name === '' ? undefined : wireText(name);
}

function list(names: readonly string[] | undefined): string | undefined {
  return names === undefined || names.length === 0 ? undefined : names.join(',');
}

/** A pseudo header is never empty: without one there was no request. */
function requestField({ request }: FormatContext, name: string): string | undefined {
  const value = requestHeader(request, name);
  return value === '' && name.startsWith(':') ? undefined : value;
}

function headerOf(
  response: HeaderView | undefined,
  name: string,
  context: FormatContext,
): string | undefined {
  return name === ':status' ? context.responseCode?.toString() : response?.get(name);
}

function headerOperator(
  args: string,
  read: (context: FormatContext, name: string) => string | undefined,
): Operator | undefined {
  const [first, second, more] = args.toLowerCase().split('?');
  if (!first || more !== undefined) return undefined;
  return second ? (c) => read(c, first) ?? read(c, second) : (c) => read(c, first);
}

function queryParameter(path: string, name: string): string | undefined {
  const at = path.indexOf('?');
  return at < 0 ? undefined : (new URLSearchParams(path.slice(at + 1)).get(name) ?? undefined);
}

function metadataOperator(
  path: readonly string[],
  read: (context: FormatContext) => unknown,
): Operator | undefined {
  if (path.length === 0 || path[0] === '') return undefined;
  return (c) => {
    const value = path.reduce<unknown>(child, read(c));
    if (typeof value === 'string') return wireText(value);
    if (typeof value === 'number') return value;
    if (typeof value === 'boolean') return String(value);
    return typeof value === 'object' && value !== null ? value : undefined;
  };
}

// Both `ns:key` and the older JSON list `["ns", "key"]`.
function metadataPath(args: string): readonly string[] {
  return args.startsWith('[')
    ? [...args.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '')
    : args.split(':');
}

function ipOf(address: string | undefined): string | undefined {
  const colon = address?.lastIndexOf(':') ?? -1;
  return colon < 0 ? address : address?.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
}

function portOf(address: string | undefined): number | undefined {
  const colon = address?.lastIndexOf(':') ?? -1;
  return colon < 0 ? undefined : Number(address?.slice(colon + 1));
}
