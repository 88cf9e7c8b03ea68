// CommonTlsContext, compiled: which secrets it needs and the node:tls options that it stands for.
import tls, { type SecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls';
import type { CertificateValidationContext } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import type { SdsSecretConfig } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import type { CommonTlsContext } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { millis } from '../../net/duration.ts';
import { type Identity, readIdentity } from '../../tls/identity.ts';
import { compileSanCheck } from '../../tls/san.ts';
import { type SecretStore, type SecretWish, withoutNames } from '../../tls/secret-store.ts';
import { readTrust, type Trust, verifiesAnything } from '../../tls/trust.ts';

interface Built {
  readonly context: SecureContext;
  /** Undefined when the peer is not asked who it is. */
  readonly trust: Trust | undefined;
}

export class TlsPlan {
  readonly alpn: readonly string[];
  readonly secrets: readonly SecretWish[];
  readonly #identities: readonly Identity[];
  readonly #identityRefs: readonly SecretWish[];
  readonly #inline: CertificateValidationContext | undefined;
  readonly #trustRef: SecretWish | undefined;
  readonly #options: SecureContextOptions;
  readonly #store: SecretStore;
  #built: Built | undefined;
  #generation = -1;
  /** Refused: never to be used. */
  #broken = false;
  /** Why the newest secrets could not be put into use, when they could not. */
  problem: string | undefined;

  constructor(common: CommonTlsContext | undefined, store: SecretStore, problems: string[]) {
    this.#store = store;
    this.alpn = common?.alpnProtocols ?? [];
    if (common) refuseProviders(common, problems);
    this.#identities = (common?.tlsCertificates ?? []).flatMap(
      (one) => readIdentity(one, store.read, problems) ?? [],
    );
    this.#identityRefs = (common?.tlsCertificateSdsSecretConfigs ?? []).map(refOf);
    const { inline, ref } = validationOf(common, problems);
    this.#inline = inline;
    this.#trustRef = ref;
    compileSanCheck([inline], problems);
    if (inline) readTrust([ref ? withoutNames(inline) : inline], store.read, problems);
    this.secrets = ref ? [...this.#identityRefs, ref] : this.#identityRefs;
    this.#options = optionsOf(common);
    this.#broken = problems.length > 0;
    if (this.#broken) return;
    for (const ref of this.secrets) store.want(ref);
    if (this.secrets.length === 0) this.#refresh();
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
    return this.ready || this.secrets.every((ref) => this.#store.settled(ref));
  }

  /** What the peer's certificate must satisfy. */
  get trust(): Trust | undefined {
    this.#refresh();
    return this.#built?.trust;
  }

  get hasIdentity(): boolean {
    return this.#identities.length + this.#identityRefs.length > 0;
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
    const fetched = this.#identityRefs.map((ref) => this.#store.identity(ref));
    const validation = this.#trustRef && this.#store.validation(this.#trustRef);
    if (fetched.includes(undefined) || (this.#trustRef && !validation)) return undefined;
    const contexts = [this.#inline, validation].filter((one) => one !== undefined);
    const read = contexts.length > 0 ? readTrust(contexts, this.#store.read, problems) : undefined;
    if (problems.length > 0) return undefined;
    const trust = read && verifiesAnything(read) ? read : undefined;
    try {
      const identities = [...this.#identities, ...fetched].filter((one) => one !== undefined);
      return { context: this.#secureContext(identities, trust), trust };
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #secureContext(identities: readonly Identity[], trust: Trust | undefined): SecureContext {
    const certs = identities.flatMap((one) => one.cert ?? []);
    const keys = identities.flatMap((one) =>
      one.key ? [{ pem: one.key, ...(one.passphrase ? { passphrase: one.passphrase } : {}) }] : [],
    );
    const pfx = identities.flatMap((one) =>
      one.pfx ? [{ buf: one.pfx as Buffer, passphrase: one.passphrase ?? '' }] : [],
    );
    return tls.createSecureContext({
      ...this.#options,
      // Without one OpenSSL refuses clients with certificates that resume a session. Tickets are of this
      // context alone all the same.
      sessionIdContext: 'proxy',
      ...(certs.length > 0 ? { cert: certs, key: keys } : {}),
      ...(pfx.length > 0 ? { pfx } : {}),
      ...(trust?.roots ? { ca: trust.roots } : {}),
      ...(trust && trust.revocations.length > 0 ? { crl: [...trust.revocations] } : {}),
    });
  }
}

function optionsOf(common: CommonTlsContext | undefined): SecureContextOptions {
  const params = common?.tlsParams;
  return {
    minVersion: version(params?.tlsMinimumProtocolVersion ?? 0) ?? 'TLSv1.2',
    maxVersion: version(params?.tlsMaximumProtocolVersion ?? 0) ?? 'TLSv1.3',
    ...(params && params.cipherSuites.length > 0
      ? { ciphers: [...params.cipherSuites, ...tls13Suites].join(':') }
      : {}),
    ...(params && params.ecdhCurves.length > 0 ? { ecdhCurve: params.ecdhCurves.join(':') } : {}),
  };
}

function validationOf(
  common: CommonTlsContext | undefined,
  problems: string[],
): { inline: CertificateValidationContext | undefined; ref: SecretWish | undefined } {
  const validation = common?.validationContextType;
  if (validation?.case === undefined) return { inline: undefined, ref: undefined };
  switch (validation.case) {
    case 'validationContext':
      return { inline: validation.value, ref: undefined };
    case 'validationContextSdsSecretConfig':
      return { inline: undefined, ref: refOf(validation.value) };
    case 'combinedValidationContext': {
      const { defaultValidationContext, validationContextSdsSecretConfig: sds } = validation.value;
      if (!sds) problems.push('combined_validation_context without a secret');
      return { inline: defaultValidationContext, ref: sds && refOf(sds) };
    }
    default:
      problems.push(`validation context of kind ${validation.case} is not supported`);
      return { inline: undefined, ref: undefined };
  }
}

function refuseProviders(common: CommonTlsContext, problems: string[]): void {
  if (
    common.tlsCertificateProviderInstance ||
    common.tlsCertificateCertificateProvider ||
    common.tlsCertificateCertificateProviderInstance
  )
    problems.push('certificate providers are not supported');
  if (common.customHandshaker) problems.push('custom_handshaker is not supported');
}

/** The suites of TLS 1.3 are always on in Envoy, whatever `cipher_suites` says. */
const tls13Suites = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];

function version(protocol: number): SecureVersion | undefined {
  const names: readonly (SecureVersion | undefined)[] = [undefined, 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
  return names[protocol];
}

const initialFetchMs = 15_000;

function refOf({ name, sdsConfig }: SdsSecretConfig): SecretWish {
  const source = sdsConfig?.configSourceSpecifier;
  if (source === undefined || source.case === undefined) return { source: 'static', name, waitMs: 0 };
  const waitMs = millis(sdsConfig?.initialFetchTimeout) ?? initialFetchMs;
  if (source.case !== 'apiConfigSource') return { source: '', name, waitMs };
  const service = source.value.grpcServices[0]?.targetSpecifier;
  const served =
    service?.case === 'envoyGrpc' ? service.value.clusterName : (source.value.clusterNames[0] ?? '');
  return { source: served, name, waitMs };
}
