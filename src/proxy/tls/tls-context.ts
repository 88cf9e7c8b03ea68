// What a TLS plan comes to with the secrets and files that it names: a context of node:tls, and whom it trusts.
import tls, { type SecureContext, type SecureContextOptions } from 'node:tls';
import { secretsOf, type TlsPlan } from '../plan/tls/tls-plan.ts';
import { withoutNames } from '../plan/tls/validation-plan.ts';
import { type Identity, readIdentity } from './identity.ts';
import type { SecretStore } from './secret-store.ts';
import { readTrust, type Trust, verifiesAnything } from './trust.ts';

interface Built {
  readonly context: SecureContext;
  /** Undefined when the peer is not asked who it is. */
  readonly trust: Trust | undefined;
}

export class TlsContext {
  readonly plan: TlsPlan;
  readonly #identities: readonly Identity[];
  readonly #store: SecretStore;
  #built: Built | undefined;
  #generation = -1;
  /** Refused: never to be used. */
  readonly #broken: boolean;
  /** Why the newest secrets could not be put into use, when they could not. */
  problem: string | undefined;

  /** With problems, of the plan or of what it names, it stays unusable. */
  constructor(plan: TlsPlan, store: SecretStore, problems: string[]) {
    this.plan = plan;
    this.#store = store;
    this.#identities = plan.certificates.flatMap((one) => readIdentity(one, store.read, problems) ?? []);
    const { validation, validationSecret } = plan;
    if (validation)
      readTrust([validationSecret ? withoutNames(validation) : validation], store.read, problems);
    this.#broken = problems.length > 0;
    if (this.#broken) return;
    const secrets = secretsOf(plan);
    for (const wish of secrets) store.want(wish);
    if (secrets.length === 0) this.#refresh();
    if (this.problem !== undefined) problems.push(this.problem);
  }

  /** Whether every secret that it names has arrived and all of it fits together. */
  get ready(): boolean {
    this.#refresh();
    return this.#built !== undefined;
  }

  /**
   * Whether it is not to be waited for: it is ready, or its secrets have not come in time and its handshakes
   * fail until they do.
   */
  get settled(): boolean {
    return this.ready || secretsOf(this.plan).every((wish) => this.#store.settled(wish));
  }

  /** What the peer's certificate must satisfy. */
  get trust(): Trust | undefined {
    this.#refresh();
    return this.#built?.trust;
  }

  /** Throws while the secrets are not there. */
  context(): SecureContext {
    this.#refresh();
    if (!this.#built) throw new Error(this.problem ?? 'Secret is not supplied by SDS');
    return this.#built.context;
  }

  /** What cannot be used leaves the context before in force. */
  #refresh(): void {
    if (this.#broken || this.#generation === this.#store.generation) return;
    this.#generation = this.#store.generation;
    const problems: string[] = [];
    const built = this.#build(problems);
    this.problem = problems.length > 0 ? problems.join('; ') : undefined;
    if (built) this.#built = built;
  }

  #build(problems: string[]): Built | undefined {
    const { certificateSecrets, validation, validationSecret } = this.plan;
    const fetched = certificateSecrets.map((wish) => this.#store.identity(wish));
    const fromSecret = validationSecret && this.#store.validation(validationSecret);
    if (fetched.includes(undefined) || (validationSecret && !fromSecret)) return undefined;
    const plans = [validation, fromSecret].filter((one) => one !== undefined);
    const read = plans.length > 0 ? readTrust(plans, this.#store.read, problems) : undefined;
    if (problems.length > 0) return undefined;
    const trust = read && verifiesAnything(read) ? read : undefined;
    try {
      const identities = [...this.#identities, ...fetched].filter((one) => one !== undefined);
      return { context: secureContext(this.plan, identities, trust), trust };
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
}

function secureContext(
  plan: TlsPlan,
  identities: readonly Identity[],
  trust: Trust | undefined,
): SecureContext {
  const certs = identities.flatMap((one) => one.cert ?? []);
  const keys = identities.flatMap((one) =>
    one.key ? [{ pem: one.key, ...(one.passphrase ? { passphrase: one.passphrase } : {}) }] : [],
  );
  const pfx = identities.flatMap((one) =>
    one.pfx ? [{ buf: one.pfx as Buffer, passphrase: one.passphrase ?? '' }] : [],
  );
  return tls.createSecureContext({
    ...optionsOf(plan),
    // Without one OpenSSL refuses clients with certificates that resume a session. Tickets are of this
    // context alone all the same.
    sessionIdContext: 'proxy',
    ...(certs.length > 0 ? { cert: certs, key: keys } : {}),
    ...(pfx.length > 0 ? { pfx } : {}),
    ...(trust?.roots ? { ca: trust.roots } : {}),
    ...(trust && trust.revocations.length > 0 ? { crl: [...trust.revocations] } : {}),
  });
}

function optionsOf({ minVersion, maxVersion, ciphers, curves }: TlsPlan): SecureContextOptions {
  return {
    minVersion,
    maxVersion,
    ...(ciphers.length > 0 ? { ciphers: ciphers.join(':') } : {}),
    ...(curves.length > 0 ? { ecdhCurve: curves.join(':') } : {}),
  };
}
