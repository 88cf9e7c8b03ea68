// Envoy's substitution formatter for configured headers: `%REQ(X?Y):Z%` and its kin. An absent value is empty
// text.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators

import { requestHeader } from './header-match.ts';
import { child } from './metadata-match.ts';
import type { FormatContext, HeaderView, TlsNames } from './request-view.ts';
import { compileTimeFormat } from './time-format.ts';
import { wireText } from './wire-text.ts';

export type Formatter = (context: FormatContext) => string;
type Operator = (context: FormatContext) => string | number | undefined;

/**
 * `absent` stands for a value that there is none of. A text without operators is a constant. Unknown
 * operators and stray `%` are problems.
 */
export function compileFormat(text: string, problems: string[], absent = ''): Formatter {
  const pieces: (string | Operator)[] = [];
  for (const [whole, literal, name, args, limit] of text.matchAll(
    /([^%]+|%%)|%([A-Z0-9_]+)(?:\(([^)]{0,1000})\))?(?::(\d+))?%|%/g,
  )) {
    if (literal !== undefined) pieces.push(literal === '%%' ? '%' : wireText(literal));
    else
      pieces.push(
        name === undefined
          ? badPiece(text, whole, problems)
          : compileOperator({ text: whole, name, args, limit }, problems),
      );
  }
  const operators = pieces.some((piece) => typeof piece === 'function');
  if (!operators) {
    const constant = pieces.join('');
    return () => constant;
  }
  return (context) =>
    pieces.map((piece) => (typeof piece === 'string' ? piece : fieldOf(piece(context) ?? absent))).join('');
}

function fieldOf(value: string | number): string {
  return String(value).replace(/[\0\r\n]/g, '');
}

interface Command {
  readonly text: string;
  readonly name: string;
  readonly args: string | undefined;
  readonly limit: string | undefined;
}

function compileOperator(command: Command, problems: string[]): string | Operator {
  const make = withArguments[command.name];
  const operator = make
    ? make(command.args ?? '', problems)
    : command.args === undefined
      ? plain[command.name]
      : undefined;
  if (!operator) return badPiece(command.text, command.text, problems);
  if (command.limit === undefined) return operator;
  const limit = Number(command.limit);
  return (context) => String(operator(context) ?? '').slice(0, limit);
}

function badPiece(text: string, piece: string, problems: string[]): string {
  problems.push(
    `header value ${JSON.stringify(text)}: ${JSON.stringify(piece)} is not a known operator; write %% for a percent sign`,
  );
  return '';
}

const plain: Readonly<Record<string, Operator>> = {
  PROTOCOL: (c) => c.protocol,
  UPSTREAM_PROTOCOL: (c) => c.upstreamProtocol,
  RESPONSE_CODE: (c) => c.responseCode ?? 0,
  RESPONSE_CODE_DETAILS: (c) => c.responseCodeDetails,
  RESPONSE_FLAGS: (c) => c.responseFlags ?? '-',
  BYTES_RECEIVED: (c) => c.bytesReceived,
  BYTES_SENT: (c) => c.bytesSent,
  DURATION: (c) => c.duration,
  ROUTE_NAME: (c) => wireText(c.routeName ?? ''),
  VIRTUAL_CLUSTER_NAME: () => undefined,
  VIRTUAL_HOST_NAME: (c) => wireText(c.virtualHostName ?? ''),
  UPSTREAM_CLUSTER: (c) => wireText(c.clusterName ?? ''),
  UPSTREAM_CLUSTER_RAW: (c) => wireText(c.clusterName ?? ''),
  UPSTREAM_HOST: (c) => c.upstreamRemoteAddress,
  UPSTREAM_HOST_NAME: (c) => c.upstreamHostname ?? c.upstreamRemoteAddress,
  UPSTREAM_HOST_NAME_WITHOUT_PORT: (c) => c.upstreamHostname ?? ipOf(c.upstreamRemoteAddress),
  UPSTREAM_REMOTE_ADDRESS: (c) => c.upstreamRemoteAddress,
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (c) => ipOf(c.upstreamRemoteAddress),
  UPSTREAM_REMOTE_PORT: (c) => portOf(c.upstreamRemoteAddress),
  UPSTREAM_LOCAL_ADDRESS: (c) => c.upstreamLocalAddress,
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: (c) => ipOf(c.upstreamLocalAddress),
  UPSTREAM_LOCAL_PORT: (c) => portOf(c.upstreamLocalAddress),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: (c) => c.attemptCount,
  UPSTREAM_TLS_VERSION: (c) => c.upstreamTls?.version,
  UPSTREAM_TLS_CIPHER: (c) => c.upstreamTls?.cipher,
  UPSTREAM_PEER_SUBJECT: (c) => c.upstreamTls?.peerSubject,
  UPSTREAM_PEER_URI_SAN: (c) => c.upstreamTls?.peerUriSans?.join(','),
  UPSTREAM_PEER_DNS_SAN: (c) => c.upstreamTls?.peerDnsSans?.join(','),
  DOWNSTREAM_REMOTE_ADDRESS: (c) => c.downstreamRemoteAddress,
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (c) => ipOf(c.downstreamRemoteAddress),
  DOWNSTREAM_REMOTE_PORT: (c) => portOf(c.downstreamRemoteAddress),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: (c) => c.downstreamDirectRemoteAddress,
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: (c) => ipOf(c.downstreamDirectRemoteAddress),
  DOWNSTREAM_DIRECT_REMOTE_PORT: (c) => portOf(c.downstreamDirectRemoteAddress),
  DOWNSTREAM_LOCAL_ADDRESS: (c) => c.downstreamLocalAddress,
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: (c) => ipOf(c.downstreamLocalAddress),
  DOWNSTREAM_LOCAL_PORT: (c) => portOf(c.downstreamLocalAddress),
  REQUESTED_SERVER_NAME: (c) => c.serverName,
  CONNECTION_ID: (c) => c.connectionId,
  STREAM_ID: (c) => c.streamId,
  HOSTNAME: (c) => c.hostname,
  ...tlsOperators('DOWNSTREAM_', (c) => c.downstreamTls),
};

function tlsOperators(
  prefix: string,
  names: (context: FormatContext) => TlsNames | undefined,
): Readonly<Record<string, Operator>> {
  return {
    [`${prefix}PEER_URI_SAN`]: (c) => names(c)?.peerUriSans?.join(','),
    [`${prefix}PEER_DNS_SAN`]: (c) => names(c)?.peerDnsSans?.join(','),
    [`${prefix}LOCAL_URI_SAN`]: (c) => names(c)?.localUriSans?.join(','),
    [`${prefix}LOCAL_DNS_SAN`]: (c) => names(c)?.localDnsSans?.join(','),
    [`${prefix}PEER_SUBJECT`]: (c) => names(c)?.peerSubject,
    [`${prefix}LOCAL_SUBJECT`]: (c) => names(c)?.localSubject,
    [`${prefix}PEER_ISSUER`]: (c) => names(c)?.peerIssuer,
    [`${prefix}PEER_FINGERPRINT_256`]: (c) => names(c)?.peerFingerprint256,
    [`${prefix}PEER_SERIAL`]: (c) => names(c)?.peerSerial,
    [`${prefix}TLS_VERSION`]: (c) => names(c)?.version,
    [`${prefix}TLS_CIPHER`]: (c) => names(c)?.cipher,
    [`${prefix}TLS_SESSION_ID`]: (c) => names(c)?.sessionId,
  };
}

type OperatorMaker = (args: string, problems: string[]) => Operator | undefined;

const withArguments: Readonly<Record<string, OperatorMaker>> = {
  REQ: (args) => headerOperator(args, (c, name) => requestHeader(c.request, name)),
  RESP: (args) => headerOperator(args, (c, name) => headerOf(c.response, name, c)),
  TRAILER: (args) => headerOperator(args, (c, name) => c.trailers?.get(name)),
  START_TIME: (args) => {
    const format = compileTimeFormat(args);
    return format && ((c) => (c.startTime === undefined ? undefined : format(c.startTime)));
  },
  DYNAMIC_METADATA: (args) => metadataOperator(args.split(':'), (c) => c.metadata),
  UPSTREAM_METADATA: (args) => metadataOperator(metadataPath(args), (c) => c.upstreamMetadata),
  FILTER_STATE: (args) => (args ? (c) => c.filterState?.get(args.split(':')[0] ?? '') : undefined),
  PER_REQUEST_STATE: (args) => (args ? (c) => c.filterState?.get(args) : undefined),
};

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

function metadataOperator(
  path: readonly string[],
  read: (context: FormatContext) => unknown,
): Operator | undefined {
  if (path.length === 0 || path[0] === '') return undefined;
  return (c) => {
    const value = path.reduce<unknown>(child, read(c));
    return value === undefined || value === null
      ? undefined
      : wireText(typeof value === 'string' ? value : JSON.stringify(value));
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

function portOf(address: string | undefined): string | undefined {
  const colon = address?.lastIndexOf(':') ?? -1;
  return colon < 0 ? undefined : address?.slice(colon + 1);
}
