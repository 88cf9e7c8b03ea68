// MeshConfig with every default applied: what the rest of the pipeline reads.
import type { MeshConfig } from '../config/index.ts';

export interface MeshSettings {
  readonly rootNamespace: string;
  readonly domain: string;
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  readonly autoMutualTls: boolean;
  readonly outboundPolicy: 'ALLOW_ANY' | 'REGISTRY_ONLY' | 'ALLOW_ANY_DYNAMIC_DNS';
  readonly connectTimeoutMs: number;
  readonly detectionTimeoutMs: number;
  readonly proxyHttpPort: number;
  readonly config: MeshConfig;
}

export const defaultDomain = 'cluster.local';

export function meshSettings(config: MeshConfig, domain: string = defaultDomain): MeshSettings {
  return {
    rootNamespace: config.rootNamespace || 'istio-system',
    domain,
    trustDomain: config.trustDomain || 'cluster.local',
    trustDomainAliases: config.trustDomainAliases ?? [],
    autoMutualTls: config.enableAutoMtls ?? true,
    outboundPolicy: config.outboundTrafficPolicy?.mode ?? 'ALLOW_ANY',
    connectTimeoutMs: config.connectTimeout ?? 10_000,
    detectionTimeoutMs: config.protocolDetectionTimeout ?? 0,
    proxyHttpPort: config.proxyHttpPort ?? 0,
    config,
  };
}
