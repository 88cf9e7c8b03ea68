// EndpointSlice (discovery.k8s.io/v1): addresses behind a Service, named by the label
// kubernetes.io/service-name.
import {
  boolean,
  field,
  type Infer,
  ignored,
  int32,
  list,
  mapOf,
  message,
  string,
} from '../../schema/index.ts';

const open = { open: true } as const;

export const SliceEndpoint = message(
  'Endpoint',
  {
    addresses: field(list(string), 'Endpoint.address'),
    conditions: message(
      'EndpointConditions',
      {
        ready: field(boolean, 'false: left out of ClusterLoadAssignment'),
        serving: field(boolean, 'LbEndpoint.health_status DRAINING while terminating'),
        terminating: field(boolean, 'LbEndpoint.health_status DRAINING while serving'),
      },
      open,
    ),
    hostname: ignored(string, 'not needed for traffic'),
    nodeName: field(string, 'LocalityLbEndpoints.locality, by the labels of the Node'),
    zone: ignored(string, 'locality comes from the labels of the Node, which name the region too'),
    targetRef: message(
      'ObjectReference',
      {
        kind: field(string, 'which pod the endpoint is'),
        name: field(string, 'which pod the endpoint is'),
        namespace: field(string, 'which pod the endpoint is'),
        uid: ignored(string, 'not needed for traffic'),
      },
      open,
    ),
    deprecatedTopology: ignored(mapOf(string), 'locality comes from the labels of the Node'),
  },
  open,
);
export type SliceEndpoint = Infer<typeof SliceEndpoint>;

export const EndpointSlice = message(
  'EndpointSlice',
  {
    addressType: ignored(string, 'the addresses tell'),
    endpoints: list(SliceEndpoint),
    ports: list(
      message(
        'EndpointPort',
        {
          name: field(string, 'joins the port to that of the Service'),
          port: field(int32, 'Endpoint.address'),
          protocol: ignored(string, 'the Service says'),
          appProtocol: ignored(string, 'the Service says'),
        },
        open,
      ),
    ),
  },
  open,
);
export type EndpointSlice = Infer<typeof EndpointSlice>;
