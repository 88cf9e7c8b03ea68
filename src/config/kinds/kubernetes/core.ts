// Kubernetes' core kinds, the fields that are read here. The messages are open: the API server has checked the rest.
import { boolean, bytes, type Infer, int32, intOrString, list, mapOf, message, required, string } from '../../schema/index.ts';

const open = { open: true } as const;

export const LoadBalancerStatus = message(
  'LoadBalancerStatus',
  { ingress: list(message('LoadBalancerIngress', { ip: string, hostname: string }, open)) },
  open,
);

export const KubeServicePort = message(
  'ServicePort',
  { name: string, protocol: string, appProtocol: string, port: required(int32), targetPort: intOrString, nodePort: int32 },
  open,
);
export type KubeServicePort = Infer<typeof KubeServicePort>;

export const KubeService = message(
  'ServiceSpec',
  {
    type: string,
    selector: mapOf(string),
    ports: list(KubeServicePort),
    clusterIP: string,
    clusterIPs: list(string),
    externalIPs: list(string),
    externalName: string,
    loadBalancerIP: string,
    trafficDistribution: string,
    internalTrafficPolicy: string,
    externalTrafficPolicy: string,
    publishNotReadyAddresses: boolean,
    status: message('ServiceStatus', { loadBalancer: LoadBalancerStatus }, open),
  },
  open,
);
export type KubeService = Infer<typeof KubeService>;

export const Container = message(
  'Container',
  {
    name: string,
    image: string,
    command: list(string),
    args: list(string),
    env: list(message('EnvVar', { name: string, value: string }, open)),
    ports: list(message('ContainerPort', { name: string, containerPort: int32, protocol: string, hostPort: int32 }, open)),
  },
  open,
);
export type Container = Infer<typeof Container>;

export const Pod = message(
  'PodSpec',
  {
    containers: list(Container),
    initContainers: list(Container),
    nodeName: string,
    hostname: string,
    subdomain: string,
    hostNetwork: boolean,
    serviceAccountName: string,
    readinessGates: list(message('PodReadinessGate', { conditionType: string }, open)),
    status: message(
      'PodStatus',
      {
        phase: string,
        podIP: string,
        podIPs: list(message('PodIP', { ip: string }, open)),
        hostIP: string,
        conditions: list(message('PodCondition', { type: string, status: string }, open)),
      },
      open,
    ),
  },
  open,
);
export type Pod = Infer<typeof Pod>;

export const Namespace = message('Namespace', {}, open);
export type Namespace = Infer<typeof Namespace>;

export const KubeNode = message(
  'NodeSpec',
  { status: message('NodeStatus', { addresses: list(message('NodeAddress', { type: string, address: string }, open)) }, open) },
  open,
);
export type KubeNode = Infer<typeof KubeNode>;

/** `stringData` is what people write by hand; the API server folds it into `data`, and so must the reader of this. */
export const Secret = message('Secret', { type: string, data: mapOf(bytes), stringData: mapOf(string) }, open);
export type Secret = Infer<typeof Secret>;

export const ConfigMap = message('ConfigMap', { data: mapOf(string), binaryData: mapOf(bytes) }, open);
export type ConfigMap = Infer<typeof ConfigMap>;
