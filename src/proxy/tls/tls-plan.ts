// CommonTlsContext, compiled: which secrets it needs and the node:tls options that it stands for.
import tls, { type SecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls';
import type { CertificateValidationContext, TlsCertificate } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import type { SdsSecretConfig } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import type { CommonTlsContext } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { compileSanCheck, type SanCheck } from './san.ts';
import type { SecretRef, SecretStore } from './secret-store.ts';

export class TlsPlan {
  readonly alpn: readonly string[];
  readonly secrets: readonly SecretRef[];
  readonly #certificates: readonly TlsCertificate[];
  readonly #certificateRefs: readonly SecretRef[];
  readonly #inline: CertificateValidationContext | undefined;
  readonly #trustRef: SecretRef | undefined;
  readonly #options: SecureContextOptions;
  readonly #store: SecretStore;
  #context: SecureContext | undefined;
  #generation = -1;
  #sanCheck: SanCheck | undefined;
  #trusted = false;

  constructor(common: CommonTlsContext | undefined, store: SecretStore, problems: string[]) {
    this.#store = store;
    this.alpn = common?.alpnProtocols ?? [];
    this.#certificates = common?.tlsCertificates ?? [];
    this.#certificateRefs = (common?.tlsCertificateSdsSecretConfigs ?? []).map(refOf);
    const validation = common?.validationContextType;
    if (validation?.case === 'validationContext') this.#inline = validation.value;
    else if (validation?.case === 'validationContextSdsSecretConfig') this.#trustRef = refOf(validation.value);
    else if (validation?.case === 'combinedValidationContext') {
      this.#inline = validation.value.defaultValidationContext;
      const sds = validation.value.validationContextSdsSecretConfig;
      if (sds) this.#trustRef = refOf(sds);
    } else if (validation?.case !== undefined) problems.push(`validation context of kind ${validation.case} is not supported`);
    compileSanCheck([this.#inline], problems);
    this.secrets = this.#trustRef ? [...this.#certificateRefs, this.#trustRef] : this.#certificateRefs;
    const params = common?.tlsParams;
    this.#options = {
      minVersion: version(params?.tlsMinimumProtocolVersion ?? 0) ?? 'TLSv1.2',
      maxVersion: version(params?.tlsMaximumProtocolVersion ?? 0) ?? 'TLSv1.3',
      ...(params && params.cipherSuites.length > 0 ? { ciphers: [...params.cipherSuites, ...tls13Suites].join(':') } : {}),
    };
    for (const ref of this.secrets) store.want(ref);
  }

  /** Whether every secret that it names has arrived. */
  get ready(): boolean {
    return this.secrets.every((ref) => this.#store.has(ref));
  }

  /** Whether the peer's chain is to be verified. */
  get trusted(): boolean {
    this.#refresh();
    return this.#trusted;
  }

  get sanCheck(): SanCheck | undefined {
    this.#refresh();
    return this.#sanCheck;
  }

  /** Throws when the certificates do not fit together. */
  context(): SecureContext {
    this.#refresh();
    if (!this.#context) throw new Error('TLS context is not available');
    return this.#context;
  }

  #refresh(): void {
    if (this.#context && this.#generation === this.#store.generation) return;
    const read = this.#store.read;
    const certificates = [...this.#certificates, ...this.#certificateRefs.flatMap((ref) => this.#store.certificate(ref) ?? [])];
    const fetched = this.#trustRef ? this.#store.validation(this.#trustRef) : undefined;
    const ca = read(fetched?.trustedCa) ?? read(this.#inline?.trustedCa);
    const chains = certificates.flatMap((one) => read(one.certificateChain) ?? []);
    const keys = certificates.flatMap((one) => read(one.privateKey) ?? []);
    const crl = read(fetched?.crl) ?? read(this.#inline?.crl);
    this.#trusted = ca !== undefined;
    this.#sanCheck = compileSanCheck([this.#inline, fetched], []);
    this.#generation = this.#store.generation;
    this.#context = tls.createSecureContext({
      ...this.#options,
      ...(chains.length > 0 && keys.length > 0 ? { cert: chains, key: keys } : {}),
      ...(ca ? { ca } : {}),
      ...(crl ? { crl } : {}),
    });
  }
}

/** The suites of TLS 1.3 are always on in Envoy, whatever `cipher_suites` says. */
const tls13Suites = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];

function version(protocol: number): SecureVersion | undefined {
  const names: readonly (SecureVersion | undefined)[] = [undefined, 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
  return names[protocol];
}

function refOf(config: SdsSecretConfig): SecretRef {
  const source = config.sdsConfig?.configSourceSpecifier;
  if (source === undefined || source.case === undefined) return { source: 'static', name: config.name };
  if (source.case !== 'apiConfigSource') return { source: '', name: config.name };
  const service = source.value.grpcServices[0]?.targetSpecifier;
  return { source: service?.case === 'envoyGrpc' ? service.value.clusterName : (source.value.clusterNames[0] ?? ''), name: config.name };
}
