// What a cluster would say of the workloads on this machine: a Pod each, EndpointSlices for the Services that
// select them, and the Service of the ingress gateway.
import type { AnyConfig, KubeService, ObjectOfKind } from '../../config/index.ts';
import type { WorkloadPlan } from './workload-plan.ts';

export interface MeshWorkload {
  readonly plan: WorkloadPlan;
  /** Where its sidecar listens, by port of the plan. */
  readonly listenPorts: ReadonlyMap<number, number>;
  readonly ready: boolean;
}

export interface MeshGateway {
  readonly selector: Readonly<Record<string, string>>;
  /** Port of the Gateway resources, and where the gateway listens for it. */
  readonly ports: readonly GatewayPortPair[];
}

export interface GatewayPortPair {
  readonly port: number;
  readonly name: string;
  readonly target: number;
}

export const gatewayName = 'istio-ingressgateway';
export const gatewayNamespace = 'istio-system';
/**
 * Unlike the workloads': what stands at one address is told apart by its ports, and a Gateway's ports may be
 * those of a Service too.
 */
export const gatewayAddress = '127.0.0.2';
export const workloadAddress = '127.0.0.1';

const tlsMode = { 'security.istio.io/tlsMode': 'istio' };

export function meshObjects(
  workloads: readonly MeshWorkload[],
  services: readonly ObjectOfKind<'Service'>[],
  gateway: MeshGateway | undefined,
): readonly AnyConfig[] {
  return [
    ...workloads.map(podOf),
    ...services.flatMap((service) => workloads.flatMap((workload) => sliceOf(service, workload) ?? [])),
    ...(gateway ? gatewayObjects(gateway) : []),
  ];
}

function podOf({ plan, ready }: MeshWorkload): ObjectOfKind<'Pod'> {
  return pod(plan.name, plan.namespace, {
    labels: { ...plan.labels, ...tlsMode },
    serviceAccount: plan.serviceAccount,
    address: workloadAddress,
    ready,
  });
}

interface PodFacts {
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly address: string;
  readonly ready: boolean;
}

function pod(
  name: string,
  namespace: string,
  { labels, serviceAccount, address, ready }: PodFacts,
): ObjectOfKind<'Pod'> {
  return {
    ...identity('Pod', 'v1', namespace, name, labels),
    spec: {
      serviceAccountName: serviceAccount,
      status: {
        phase: 'Running',
        podIP: address,
        podIPs: [{ ip: address }],
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      },
    },
  };
}

function sliceOf(
  service: ObjectOfKind<'Service'>,
  { plan, listenPorts, ready }: MeshWorkload,
): ObjectOfKind<'EndpointSlice'> | undefined {
  const selector = Object.entries(service.spec.selector ?? {});
  if (service.metadata.namespace !== plan.namespace || selector.length === 0) return undefined;
  if (selector.some(([key, value]) => plan.labels[key] !== value)) return undefined;
  const ports = (service.spec.ports ?? []).flatMap((port) => {
    const target = port.targetPort ?? port.port;
    const own = plan.ports.find(
      (candidate) =>
        candidate.port === Number(target) || (candidate.name !== '' && candidate.name === target),
    );
    const listen = own && listenPorts.get(own.port);
    return listen === undefined ? [] : [{ name: port.name ?? '', port: listen, protocol: 'TCP' }];
  });
  return slice(service.metadata.name, plan.namespace, {
    pod: plan.name,
    address: workloadAddress,
    ready,
    ports,
  });
}

interface SliceFacts {
  readonly pod: string;
  readonly address: string;
  readonly ready: boolean;
  readonly ports: NonNullable<ObjectOfKind<'EndpointSlice'>['spec']['ports']>;
}

function slice(
  service: string,
  namespace: string,
  { pod: target, address, ready, ports }: SliceFacts,
): ObjectOfKind<'EndpointSlice'> {
  return {
    ...identity('EndpointSlice', 'discovery.k8s.io/v1', namespace, `${service}.${target}`, {
      'kubernetes.io/service-name': service,
    }),
    spec: {
      addressType: 'IPv4',
      ports,
      endpoints: [
        { addresses: [address], conditions: { ready }, targetRef: { kind: 'Pod', name: target, namespace } },
      ],
    },
  };
}

function gatewayObjects({ selector, ports }: MeshGateway): readonly AnyConfig[] {
  const spec: KubeService = {
    type: 'LoadBalancer',
    selector,
    ports: ports.map(({ port, name, target }) => ({ name, port, targetPort: target, protocol: 'TCP' })),
  };
  return [
    { ...identity('Service', 'v1', gatewayNamespace, gatewayName, selector), spec },
    pod(gatewayName, gatewayNamespace, {
      labels: selector,
      serviceAccount: gatewayName,
      address: gatewayAddress,
      ready: true,
    }),
    slice(gatewayName, gatewayNamespace, {
      pod: gatewayName,
      address: gatewayAddress,
      ready: true,
      ports: ports.map(({ name, target }) => ({ name, port: target, protocol: 'TCP' })),
    }),
  ];
}

function identity<K extends AnyConfig['kind']>(
  kind: K,
  apiVersion: string,
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): Pick<ObjectOfKind<K>, 'kind' | 'apiVersion' | 'metadata' | 'origin'> {
  return {
    kind,
    apiVersion,
    metadata: { name, namespace, labels, annotations: {} },
    origin: { kind, namespace, name, path: '' },
  };
}
