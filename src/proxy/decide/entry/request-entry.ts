// What happens to a request's headers before a route is chosen, as Envoy's connection manager does it.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers

import { addressBytes, inPrefix } from '../../codec/address.ts';
import { dropHopByHop } from '../../codec/http/hop-by-hop.ts';
import type { Request } from '../../codec/http/request.ts';
import type { ManagerPlan } from '../../plan/http/manager-plan.ts';
import type { ConnectionInfo } from '../connection-info.ts';
import { forwardClientCert } from './forwarded-cert.ts';

export interface Entry {
  /** The client is part of the same deployment, going by configured ranges. */
  readonly internal: boolean;
  /** The client after trusted proxies. */
  readonly clientIp: string;
}

export interface EntryContext {
  readonly connection: ConnectionInfo;
  readonly config: ManagerPlan;
  readonly newId: () => string;
}

export function enterRequest(request: Request, { connection, config, newId }: EntryContext): Entry {
  const headers = request.headers;
  dropHopByHop(headers, request.upgrade !== undefined);
  const te = headers.get('te');
  if (te !== undefined && te !== 'trailers') {
    if (/(^|,)\s*trailers\s*(,|;|$)/.test(te.toLowerCase())) headers.set('te', 'trailers');
    else headers.remove('te');
  }
  headers.remove('x-envoy-internal');
  const client = clientAddress(request, connection, config);
  const edge = !client.internal && config.useRemoteAddress;
  if (request.scheme !== 'http' && request.scheme !== 'https') {
    const forwarded = headers.get('x-forwarded-proto')?.toLowerCase();
    const own = connection.tls ? 'https' : 'http';
    request.scheme = forwarded === 'https' || forwarded === 'http' ? forwarded : own;
  }
  if (client.internal) headers.set('x-envoy-internal', 'true');
  else dropControlHeaders(request, edge);
  if (config.via !== '')
    headers.set('via', headers.has('via') ? `${headers.get('via')}, ${config.via}` : config.via);
  if (edge) headers.set('x-envoy-external-address', client.ip);
  if (
    config.generateRequestId &&
    (!headers.has('x-request-id') || (edge && !config.preserveExternalRequestId))
  )
    headers.set('x-request-id', newId());
  forwardClientCert(request, connection.tls, config.xfcc);
  return { internal: client.internal, clientIp: client.ip };
}

function clientAddress(
  request: Request,
  connection: ConnectionInfo,
  config: ManagerPlan,
): { ip: string; internal: boolean } {
  const headers = request.headers;
  const before = headers.get('x-forwarded-for');
  const scheme = connection.tls ? 'https' : 'http';
  let ip = connection.remoteIp;
  if (config.useRemoteAddress) {
    if (config.trustedHops > 0) ip = forwardedAt(before, config.trustedHops - 1) ?? ip;
    if (!config.skipXffAppend)
      headers.set(
        'x-forwarded-for',
        before === undefined ? connection.remoteIp : `${before},${connection.remoteIp}`,
      );
    if (config.trustedHops === 0 || !headers.has('x-forwarded-proto'))
      headers.set('x-forwarded-proto', scheme);
  } else {
    ip = forwardedAt(before, config.trustedHops) ?? ip;
    if (!headers.has('x-forwarded-proto')) headers.set('x-forwarded-proto', scheme);
  }
  const single = config.useRemoteAddress
    ? before === undefined
    : before !== undefined && !before.includes(',');
  return { ip, internal: single && config.internal.length > 0 && isInternal(ip, config) };
}

/** The address that many hops before the last one. */
function forwardedAt(list: string | undefined, hops: number): string | undefined {
  if (list === undefined) return undefined;
  const parts = list.split(',');
  const found = parts[parts.length - 1 - hops]?.trim();
  return found !== undefined && addressBytes(found).length > 0 ? found : undefined;
}

function isInternal(ip: string, config: ManagerPlan): boolean {
  const bytes = addressBytes(ip);
  return config.internal.some((prefix) => inPrefix(bytes, prefix));
}

/** Headers that tell the proxy what to do count only from inside. */
function dropControlHeaders(request: Request, edge: boolean): void {
  const list = request.headers.list;
  for (let i = 0; i < list.length; i += 2) {
    if (list[i]?.startsWith('x-envoy-') !== true) continue;
    request.headers.removeWhere((name) => control.has(name) || (edge && edgeControl.has(name)));
    return;
  }
}

const edgeControl = new Set([
  'x-envoy-decorator-operation',
  'x-envoy-downstream-service-cluster',
  'x-envoy-downstream-service-node',
  'x-envoy-original-path',
]);
const control = new Set([
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-upstream-stream-duration-ms',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-force-trace',
  'x-envoy-ip-tags',
  'x-envoy-original-url',
  'x-envoy-hedge-on-per-try-timeout',
]);
