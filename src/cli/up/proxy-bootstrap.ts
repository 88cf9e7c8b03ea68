// What a proxy on this machine starts from: who it is, and where the control plane and the secret service
// are.
import { type Bootstrap, readBootstrap } from '../../proxy/index.ts';
import { gatewayAddress, gatewayName, gatewayNamespace, workloadAddress } from './mesh-objects.ts';
import type { WorkloadPlan } from './workload-plan.ts';

export interface DiscoveryAddresses {
  readonly xds: string;
  readonly sds: string;
  readonly domain: string;
}

export interface SidecarPorts {
  /** Of the application, by the port that its sidecar listens on. */
  readonly applications: ReadonlyMap<number, number>;
  readonly httpProxy: number;
}

export function sidecarBootstrap(
  plan: WorkloadPlan,
  ports: SidecarPorts,
  discovery: DiscoveryAddresses,
): Bootstrap {
  const { name, namespace, labels, serviceAccount } = plan;
  const id = `sidecar~${workloadAddress}~${name}.${namespace}~${namespace}.svc.${discovery.domain}`;
  return bootstrap(id, discovery, {
    NAME: name,
    NAMESPACE: namespace,
    LABELS: labels,
    SERVICE_ACCOUNT: serviceAccount,
    INTERCEPTION_MODE: 'NONE',
    APPLICATION_PORTS: Object.fromEntries(ports.applications),
    HTTP_PROXY_PORT: ports.httpProxy,
  });
}

export function gatewayBootstrap(
  labels: Readonly<Record<string, string>>,
  discovery: DiscoveryAddresses,
): Bootstrap {
  const id = `router~${gatewayAddress}~${gatewayName}.${gatewayNamespace}~${gatewayNamespace}.svc.${discovery.domain}`;
  return bootstrap(id, discovery, {
    NAME: gatewayName,
    NAMESPACE: gatewayNamespace,
    LABELS: labels,
    SERVICE_ACCOUNT: gatewayName,
  });
}

function bootstrap(id: string, { xds, sds }: DiscoveryAddresses, metadata: object): Bootstrap {
  const json = {
    node: { id, cluster: 'meltemi-up', metadata },
    dynamicResources: {
      adsConfig: {
        apiType: 'GRPC',
        transportApiVersion: 'V3',
        grpcServices: [{ envoyGrpc: { clusterName: 'xds-grpc' } }],
        setNodeOnFirstMessageOnly: true,
      },
      cdsConfig: { ads: {}, resourceApiVersion: 'V3' },
      ldsConfig: { ads: {}, resourceApiVersion: 'V3' },
    },
    staticResources: { clusters: [discoveryCluster('xds-grpc', xds), discoveryCluster('sds-grpc', sds)] },
  };
  return readBootstrap(JSON.stringify(json));
}

/** `where`: `host:port` or `unix:path`. */
function discoveryCluster(name: string, where: string): object {
  const colon = where.lastIndexOf(':');
  const address = where.startsWith('unix:')
    ? { pipe: { path: where.slice('unix:'.length) } }
    : { socketAddress: { address: where.slice(0, colon), portValue: Number(where.slice(colon + 1)) } };
  return {
    name,
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }] },
  };
}
