// Counts TLS handshakes under Envoy's names and writes down why one failed, at most so often that nobody can
// fill the log.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/stats#tls-statistics
import type { Stats } from '../observe/stats.ts';
import type { Distrust } from './trust.ts';

export interface HandshakeFailure {
  readonly kind: Distrust | 'no-certificate' | 'error' | 'timeout';
  readonly detail: string;
}

export interface ReportOptions {
  /** `listener.0.0.0.0_443` or `cluster.NAME`: where the counters stand. */
  readonly scope: string;
  readonly stats: Stats;
  readonly log: (level: 'info' | 'warn', message: string) => void;
  readonly now: () => number;
}

const betweenLinesMs = 1000;

const counters = {
  verify: 'ssl.fail_verify_error',
  san: 'ssl.fail_verify_san',
  hash: 'ssl.fail_verify_cert_hash',
  'no-certificate': 'ssl.fail_verify_no_cert',
  error: 'ssl.connection_error',
  timeout: 'downstream_cx_transport_socket_connect_timeout',
} as const;

export class HandshakeReport {
  readonly #options: ReportOptions;
  #lastLine = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  succeeded(withCertificate: boolean): void {
    this.#count('ssl.handshake');
    if (!withCertificate) this.#count('ssl.no_certificate');
  }

  failed({ kind, detail }: HandshakeFailure, peer: string): void {
    this.#count(counters[kind]);
    const { now, log, scope } = this.#options;
    if (now() - this.#lastLine < betweenLinesMs) {
      this.#unsaid++;
      return;
    }
    const more = this.#unsaid === 0 ? '' : ` (${this.#unsaid} more since the last line)`;
    this.#lastLine = now();
    this.#unsaid = 0;
    log('warn', `${scope}: TLS handshake with ${peer} failed: ${detail}${more}`);
  }

  #count(name: string): void {
    this.#options.stats.counter(`${this.#options.scope}.${name}`).value++;
  }
}
