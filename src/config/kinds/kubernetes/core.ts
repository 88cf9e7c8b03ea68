// Kubernetes' core kinds, the fields that are read here. The messages are open: the API server has checked
// the rest.
import {
  boolean,
  bytes,
  field,
  type Infer,
  ignored,
  int32,
  intOrString,
  list,
  mapOf,
  message,
  required,
  string,
  text,
} from '../../schema/index.ts';

const open = { open: true } as const;

export const LoadBalancerStatus = message(
  'LoadBalancerStatus',
  {
    ingress: list(
      message(
        'LoadBalancerIngress',
        {
          ip: ignored(string, 'not needed for traffic'),
          hostname: ignored(string, 'not needed for traffic'),
        },
        open,
      ),
    ),
  },
  open,
);

export const KubeServicePort = message(
  'ServicePort',
  {
    name: field(string, 'joins the port to those of EndpointSlices; its protocol'),
    protocol: field(string, 'UDP: left out'),
    appProtocol: field(string, 'Listener.filter_chains; Cluster.typed_extension_protocol_options'),
    port: required(int32, 'Cluster.name; Listener.address'),
    targetPort: field(intOrString, 'Endpoint.address of WorkloadEntries that the Service selects'),
    nodePort: ignored(int32, 'for clients outside of the cluster'),
  },
  open,
);
export type KubeServicePort = Infer<typeof KubeServicePort>;

export const KubeService = message(
  'ServiceSpec',
  {
    type: field(string, 'ExternalName: VirtualHost.domains of the service it stands for'),
    selector: field(mapOf(string), 'WorkloadEntries that are endpoints too'),
    ports: list(KubeServicePort),
    clusterIP: field(string, 'Listener.address; VirtualHost.domains; None: one listener a pod'),
    clusterIPs: field(list(string), 'Listener.address; VirtualHost.domains'),
    externalIPs: ignored(list(string), 'for clients outside of the mesh'),
    externalName: field(string, 'VirtualHost.domains of the service it stands for'),
    loadBalancerIP: ignored(string, 'for clients outside of the cluster'),
    trafficDistribution: field(string, 'LocalityLbEndpoints.priority'),
    internalTrafficPolicy: field(
      string,
      'ClusterLoadAssignment.endpoints; Local: those on the node of the client',
    ),
    externalTrafficPolicy: ignored(string, 'of kube-proxy'),
    publishNotReadyAddresses: ignored(boolean, 'EndpointSlices say which endpoints are ready'),
    status: message('ServiceStatus', { loadBalancer: LoadBalancerStatus }, open),
  },
  open,
);
export type KubeService = Infer<typeof KubeService>;

export const Container = message(
  'Container',
  {
    name: ignored(string, 'not needed for traffic'),
    image: ignored(string, 'not needed for traffic'),
    command: ignored(list(text), 'not needed for traffic'),
    args: ignored(list(text), 'not needed for traffic'),
    env: list(
      message(
        'EnvVar',
        { name: ignored(string, 'not needed for traffic'), value: ignored(text, 'not needed for traffic') },
        open,
      ),
    ),
    ports: list(
      message(
        'ContainerPort',
        {
          name: ignored(string, 'EndpointSlices name the ports'),
          containerPort: ignored(int32, 'EndpointSlices name the ports'),
          protocol: ignored(string, 'EndpointSlices name the ports'),
          hostPort: ignored(int32, 'EndpointSlices name the ports'),
        },
        open,
      ),
    ),
  },
  open,
);
export type Container = Infer<typeof Container>;

export const Pod = message(
  'PodSpec',
  {
    containers: list(Container),
    initContainers: list(Container),
    nodeName: field(string, 'LocalityLbEndpoints.locality, by the labels of the Node'),
    hostname: ignored(string, 'not needed for traffic'),
    subdomain: ignored(string, 'not needed for traffic'),
    hostNetwork: ignored(boolean, 'not needed for traffic'),
    serviceAccountName: field(string, 'CertificateValidationContext.match_subject_alt_names'),
    readinessGates: list(
      message('PodReadinessGate', { conditionType: ignored(string, 'not needed for traffic') }, open),
    ),
    status: message(
      'PodStatus',
      {
        phase: ignored(string, 'EndpointSlices say which endpoints are ready'),
        podIP: field(
          string,
          'Endpoint.address for a ServiceEntry with workloadSelector; which pod an endpoint is',
        ),
        podIPs: list(message('PodIP', { ip: ignored(string, 'the first address is podIP') }, open)),
        hostIP: ignored(string, 'not needed for traffic'),
        conditions: list(
          message(
            'PodCondition',
            {
              type: field(string, 'Ready: whether it is an endpoint of a ServiceEntry with workloadSelector'),
              status: field(
                string,
                'Ready: whether it is an endpoint of a ServiceEntry with workloadSelector',
              ),
            },
            open,
          ),
        ),
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
  {
    status: message(
      'NodeStatus',
      {
        addresses: list(
          message(
            'NodeAddress',
            {
              type: ignored(string, 'only labels of a Node are looked at'),
              address: ignored(string, 'only labels of a Node are looked at'),
            },
            open,
          ),
        ),
      },
      open,
    ),
  },
  open,
);
export type KubeNode = Infer<typeof KubeNode>;

/**
 * `stringData` is what people write by hand; the API server folds it into `data`, and so must the reader of
 * this.
 */
export const Secret = message(
  'Secret',
  {
    type: ignored(string, 'the keys of data tell what it holds'),
    data: field(mapOf(bytes), 'Secret.tls_certificate, Secret.validation_context'),
    stringData: field(mapOf(text), 'as data'),
  },
  open,
);
export type Secret = Infer<typeof Secret>;

export const ConfigMap = message(
  'ConfigMap',
  {
    data: field(mapOf(text), 'MeshConfig, under the key mesh'),
    binaryData: ignored(mapOf(bytes), 'MeshConfig is text'),
  },
  open,
);
export type ConfigMap = Infer<typeof ConfigMap>;
