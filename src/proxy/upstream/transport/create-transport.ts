// The transport that a plan asks for, with the secrets that it needs.
import { unreachable } from '../../../base/index.ts';
import type { TransportPlan } from '../../plan/cluster/transport-plan.ts';
import type { HandshakeReport } from '../../tls/handshake-report.ts';
import type { SecretStore } from '../../tls/secret-store.ts';
import { TlsContext } from '../../tls/tls-context.ts';
import { rawTransport } from './dial.ts';
import { ProxyProtocolTransport } from './proxy-protocol-transport.ts';
import { TlsTransport } from './tls-transport.ts';
import type { Transport } from './transport.ts';

export interface TransportContext {
  readonly secrets: SecretStore;
  readonly report: HandshakeReport;
}

/** What is wrong with the bytes that the plan names becomes a problem: then nothing goes out by it. */
export function createTransport(
  plan: TransportPlan,
  context: TransportContext,
  problems: string[],
): Transport {
  switch (plan.kind) {
    case 'raw':
      return rawTransport;
    case 'tls':
      return new TlsTransport(new TlsContext(plan.tls, context.secrets, problems), plan.sni, context.report);
    case 'proxyProtocol':
      return new ProxyProtocolTransport(createTransport(plan.inner, context, problems), plan.version);
    default:
      return unreachable(plan);
  }
}
