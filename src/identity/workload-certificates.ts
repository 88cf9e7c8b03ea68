// Certificates of workloads, made at first need and renewed well before they end.
import type { CertificateAuthority, KeyPair } from './certificate-authority.ts';

export interface Timers {
  now(): number;
  /** Returns the way to call it off. */
  schedule(delayMs: number, run: () => void): () => void;
}

interface Entry {
  readonly listeners: Set<(pair: KeyPair) => void>;
  current: KeyPair | undefined;
  cancel: (() => void) | undefined;
}

/** Renewed when this part of the lifetime is over, as Istio's agent does. */
const renewalPart = 0.5;
const retryMs = 5000;

export class WorkloadCertificates {
  readonly #authority: CertificateAuthority;
  readonly #timers: Timers;
  readonly #entries = new Map<string, Entry>();

  constructor(authority: CertificateAuthority, timers: Timers) {
    this.#authority = authority;
    this.#timers = timers;
  }

  get rootCertificate(): string {
    return this.#authority.rootCertificate;
  }

  /** Calls back with the certificate now and after each renewal. Returns the way to stop. */
  follow(identity: string, onCertificate: (pair: KeyPair) => void): () => void {
    let entry = this.#entries.get(identity);
    if (!entry) {
      entry = { listeners: new Set(), current: undefined, cancel: undefined };
      this.#entries.set(identity, entry);
      void this.#renew(identity, entry);
    }
    const followed = entry;
    followed.listeners.add(onCertificate);
    if (followed.current) onCertificate(followed.current);
    return () => {
      followed.listeners.delete(onCertificate);
      if (followed.listeners.size > 0) return;
      followed.cancel?.();
      this.#entries.delete(identity);
    };
  }

  async #renew(identity: string, entry: Entry): Promise<void> {
    let delay = retryMs;
    try {
      const pair = await this.#authority.issue(identity);
      entry.current = pair;
      delay = Math.max(retryMs, (pair.notAfter.getTime() - this.#timers.now()) * renewalPart);
      for (const listener of entry.listeners) listener(pair);
    } finally {
      if (this.#entries.get(identity) === entry)
        entry.cancel = this.#timers.schedule(delay, () => void this.#renew(identity, entry));
    }
  }
}
