// Certificates and trust roots by name, as they arrive from secret discovery; those who wait are told.

import type { DataSource } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import type { CertificateValidationContext, TlsCertificate } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import type { Secret } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';

/** `source` is the cluster that serves the secret, empty for the ADS stream and `static` for the bootstrap's own. */
export interface SecretRef {
  readonly source: string;
  readonly name: string;
}

export type ReadSource = (source: DataSource | undefined) => Buffer | undefined;

export class SecretStore {
  readonly #secrets = new Map<string, Secret>();
  readonly #wanted = new Set<string>();
  readonly #waiting = new Set<() => void>();
  readonly #want: (ref: SecretRef) => void;
  readonly read: ReadSource;
  /** Grows with every change: what is derived from secrets is cached under it. */
  generation = 0;

  constructor(want: (ref: SecretRef) => void, read: ReadSource) {
    this.#want = want;
    this.read = read;
  }

  /** Asks for a secret, once. */
  want(ref: SecretRef): void {
    const key = keyOf(ref);
    if (this.#wanted.has(key)) return;
    this.#wanted.add(key);
    this.#want(ref);
  }

  has(ref: SecretRef): boolean {
    return this.#secrets.has(keyOf(ref));
  }

  certificate(ref: SecretRef): TlsCertificate | undefined {
    const type = this.#secrets.get(keyOf(ref))?.type;
    return type?.case === 'tlsCertificate' ? type.value : undefined;
  }

  validation(ref: SecretRef): CertificateValidationContext | undefined {
    const type = this.#secrets.get(keyOf(ref))?.type;
    return type?.case === 'validationContext' ? type.value : undefined;
  }

  put(ref: SecretRef, secret: Secret): void {
    this.#secrets.set(keyOf(ref), secret);
    this.generation++;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Calls back on every change until the returned function is called. */
  onChange(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }
}

function keyOf(ref: SecretRef): string {
  return `${ref.source}\n${ref.name}`;
}
