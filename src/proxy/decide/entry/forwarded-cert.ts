// The x-forwarded-client-cert header.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert

import type { Request } from '../../codec/http/request.ts';
import { peerText } from '../../codec/wire-text.ts';
import type { ManagerPlan } from '../../plan/http/manager-plan.ts';
import type { ConnectionTls } from '../connection-info.ts';

const header = 'x-forwarded-client-cert';

export function forwardClientCert(
  request: Request,
  tls: ConnectionTls | undefined,
  config: ManagerPlan['xfcc'],
): void {
  if (config.mode === 'always') return;
  // Without a verified peer there is nobody whose word could be passed on.
  if (!tls?.peer || config.mode === 'sanitize') {
    request.headers.remove(header);
    return;
  }
  if (config.mode === 'forward') return;
  const own = element(tls, config);
  const before = config.mode === 'append' ? request.headers.get(header) : undefined;
  if (own === '') return void (config.mode === 'sanitizeSet' && request.headers.remove(header));
  request.headers.set(header, before === undefined ? own : `${before},${own}`);
}

function element(tls: ConnectionTls, config: ManagerPlan['xfcc']): string {
  const peer = tls.peer;
  if (!peer) return '';
  const parts: string[] = [];
  for (const uri of tls.localNames.uris) parts.push(`By=${peerText(uri)}`);
  parts.push(`Hash=${peer.sha256}`);
  if (config.cert) parts.push(`Cert="${encodeURIComponent(peer.pem)}"`);
  if (config.subject) parts.push(`Subject="${peerText(peer.subject).replace(/["\\]/g, '\\$&')}"`);
  if (config.uri)
    parts.push(
      ...(peer.names.uris.length > 0 ? peer.names.uris.map((uri) => `URI=${peerText(uri)}`) : ['URI=']),
    );
  if (config.dns) for (const name of peer.names.dns) parts.push(`DNS=${peerText(name)}`);
  return parts.join(';');
}
