// Where a discovery service listens, and how it is to be trusted, out of a cluster of the bootstrap.
import { fromBinary } from '@bufbuild/protobuf';
import type { Cluster } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type { DataSource } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { UpstreamTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import type { GrpcTarget } from '../xds/index.ts';
import { formatAddress, readAddress } from './codec/address.ts';
import { readSource } from './net/data-source.ts';
import { planDataSource } from './plan/tls/data-source-plan.ts';

/**
 * Nothing is asked of a service whose trust cannot be read: roots of the system would stand in for those that
 * were meant.
 */
export function discoveryTarget(cluster: Cluster, problems: string[]): GrpcTarget | undefined {
  const identity = cluster.loadAssignment?.endpoints[0]?.lbEndpoints[0]?.hostIdentifier;
  const at = identity?.case === 'endpoint' ? readAddress(identity.value.address) : undefined;
  if (!at) return undefined;
  const tls = targetTls(cluster, problems);
  return {
    address: at.path === undefined ? formatAddress(at.ip, at.port) : `unix:${at.path}`,
    ...(tls ? { tls } : {}),
  };
}

function targetTls(cluster: Cluster, problems: string[]): GrpcTarget['tls'] | undefined {
  const any =
    cluster.transportSocket?.configType.case === 'typedConfig'
      ? cluster.transportSocket.configType.value
      : undefined;
  if (!any?.typeUrl.endsWith('.UpstreamTlsContext')) return undefined;
  const context = fromBinary(UpstreamTlsContextSchema, any.value);
  const common = context.commonTlsContext;
  const validation =
    common?.validationContextType.case === 'validationContext'
      ? common.validationContextType.value
      : undefined;
  const certificate = common?.tlsCertificates[0];
  const bytes = (source: DataSource | undefined): Buffer | undefined => {
    const got = readSource(planDataSource(source));
    if (got.kind === 'problem') problems.push(got.problem);
    return got.kind === 'bytes' ? got.bytes : undefined;
  };
  return {
    ca: bytes(validation?.trustedCa),
    cert: bytes(certificate?.certificateChain),
    key: bytes(certificate?.privateKey),
    serverName: context.sni || undefined,
  };
}
