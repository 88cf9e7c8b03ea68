// Why a response is not simply the upstream's, in the words that %RESPONSE_FLAGS% and %RESPONSE_CODE_DETAILS%
// have for it.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#config-access-log-format-response-flags
import type { ResetReason } from '../codec/http/message-contract.ts';

export interface ReplyCause {
  readonly flag: string;
  readonly details: string;
}

const cause = (flag: string, details: string): ReplyCause => ({ flag, details });

export const causes = {
  noRoute: cause('NR', 'route_not_found'),
  direct: cause('', 'direct_response'),
  noCluster: cause('NC', 'cluster_not_found'),
  noHealthy: cause('UH', 'no_healthy_upstream'),
  dns: cause('DF', 'dns_resolution_failure'),
  timeout: cause('UT', 'response_timeout'),
  tryTimeout: cause('UT', 'upstream_per_try_timeout'),
  duration: cause('UMSDR', 'max_duration_timeout'),
  upstreamDuration: cause('UMSDR', 'upstream_max_stream_duration_reached'),
  requestTimeout: cause('', 'request_overall_timeout'),
  idle: cause('SI', 'stream_idle_timeout'),
  cors: cause('', 'cors_response'),
  abort: cause('FI', 'fault_filter_abort'),
} as const;

const resetTexts: Readonly<Record<ResetReason, string>> = {
  'connect-failure': 'remote connection failure',
  'connect-timeout': 'connection timeout',
  termination: 'connection termination',
  'remote-reset': 'remote reset',
  'refused-stream': 'remote refused stream reset',
  'protocol-error': 'protocol error',
  overflow: 'overflow',
  local: 'local reset',
};

const resetFlags: Readonly<Record<ResetReason, string>> = {
  'connect-failure': 'UF',
  'connect-timeout': 'UF',
  termination: 'UC',
  'remote-reset': 'UR',
  'refused-stream': 'UR',
  'protocol-error': 'UPE',
  overflow: 'UO',
  local: 'LR',
};

/** `detail`: what the transport says of it. */
export function resetCause(reason: ResetReason, detail = ''): ReplyCause {
  const text = detail === '' ? resetTexts[reason] : `${resetTexts[reason]}|${detail}`;
  return cause(resetFlags[reason], `upstream_reset_before_response_started{${text.replaceAll(' ', '_')}}`);
}

/** When the response had begun. */
export function lateResetCause(reason: ResetReason): ReplyCause {
  const text = resetTexts[reason].replaceAll(' ', '_');
  return cause(resetFlags[reason], `upstream_reset_after_response_started{${text}}`);
}

/** The body of the response. */
export function resetText(reason: ResetReason, attempts: number): string {
  const again = attempts > 1 ? 'retried and the latest reset reason' : 'reset reason';
  return `upstream connect error or disconnect/reset before headers. ${again}: ${resetTexts[reason]}`;
}
