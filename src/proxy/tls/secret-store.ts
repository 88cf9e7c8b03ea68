// Certificates and trust roots by name, as they arrive from secret discovery; those who wait are told.
import type { Secret } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { longestTimer } from '../codec/duration.ts';
import type { ReadSource } from '../net/data-source.ts';
import { planCertificate } from '../plan/tls/certificate-plan.ts';
import type { DataSourcePlan } from '../plan/tls/data-source-plan.ts';
import type { SecretRef, SecretWish } from '../plan/tls/tls-plan.ts';
import { planValidation, type ValidationPlan, withoutNames } from '../plan/tls/validation-plan.ts';
import { type Identity, readIdentity } from './identity.ts';
import { readTrust, verifiesAnything } from './trust.ts';

type Material =
  | { readonly kind: 'identity'; readonly identity: Identity }
  /** Holds what its files said when it arrived. */
  | { readonly kind: 'validation'; readonly plan: ValidationPlan }
  | { readonly kind: 'other' };

export class SecretStore {
  readonly #secrets = new Map<string, Material>();
  readonly #wanted = new Set<string>();
  readonly #late = new Set<string>();
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
  want({ waitMs, ...ref }: SecretWish): void {
    const key = keyOf(ref);
    if (waitMs > 0 && !this.#secrets.has(key))
      setTimeout(() => this.#giveUp(key), Math.min(waitMs, longestTimer)).unref();
    if (this.#wanted.has(key)) return;
    this.#wanted.add(key);
    this.#want(ref);
  }

  /** Whether the secret is there, or has not come in time: nothing waits for it any more. */
  settled(ref: SecretRef): boolean {
    const key = keyOf(ref);
    return this.#secrets.has(key) || this.#late.has(key);
  }

  identity(ref: SecretRef): Identity | undefined {
    const material = this.#secrets.get(keyOf(ref));
    return material?.kind === 'identity' ? material.identity : undefined;
  }

  validation(ref: SecretRef): ValidationPlan | undefined {
    const material = this.#secrets.get(keyOf(ref));
    return material?.kind === 'validation' ? material.plan : undefined;
  }

  /** Returns what is wrong with the secret: then the one before stays in force. */
  put(ref: SecretRef, secret: Secret): readonly string[] {
    const problems: string[] = [];
    const material = this.#readSecret(secret, problems);
    if (!material || problems.length > 0) return problems.map((problem) => `${ref.name}: ${problem}`);
    this.#secrets.set(keyOf(ref), material);
    this.#changed();
    return [];
  }

  /** Calls back on every change until the returned function is called. */
  onChange(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  #giveUp(key: string): void {
    if (this.#secrets.has(key)) return;
    this.#late.add(key);
    this.#changed();
  }

  #changed(): void {
    this.generation++;
    for (const wake of [...this.#waiting]) wake();
  }

  #readSecret(secret: Secret, problems: string[]): Material | undefined {
    const { type } = secret;
    switch (type.case) {
      case 'tlsCertificate': {
        const identity = readIdentity(planCertificate(type.value, problems), this.read, problems);
        return identity && { kind: 'identity', identity };
      }
      case 'validationContext':
        return { kind: 'validation', plan: this.#frozen(planValidation(type.value, problems), problems) };
      default:
        return { kind: 'other' };
    }
  }

  #frozen(plan: ValidationPlan, problems: string[]): ValidationPlan {
    const trust = readTrust([withoutNames(plan)], this.read, problems);
    // Without anything to verify by, whoever asked for this secret would verify nothing.
    if (trust && !verifiesAnything(trust))
      problems.push('a validation context without trusted CA certificates or pinned certificates');
    return {
      ...plan,
      trustedCa: this.#freeze(plan.trustedCa),
      revocations: this.#freeze(plan.revocations),
    };
  }

  #freeze(source: DataSourcePlan | undefined): DataSourcePlan | undefined {
    const got = this.read(source);
    return got.kind === 'bytes' ? { kind: 'inline', written: 'bytes', bytes: got.bytes } : source;
  }
}

function keyOf(ref: SecretRef): string {
  return `${ref.source}\n${ref.name}`;
}
