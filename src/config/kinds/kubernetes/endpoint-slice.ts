// EndpointSlice (discovery.k8s.io/v1): addresses behind a Service, named by the label kubernetes.io/service-name.
import { boolean, type Infer, int32, list, mapOf, message, string } from '../../schema/index.ts';

const open = { open: true } as const;

export const SliceEndpoint = message(
  'Endpoint',
  {
    addresses: list(string),
    conditions: message('EndpointConditions', { ready: boolean, serving: boolean, terminating: boolean }, open),
    hostname: string,
    nodeName: string,
    zone: string,
    targetRef: message('ObjectReference', { kind: string, name: string, namespace: string, uid: string }, open),
    deprecatedTopology: mapOf(string),
  },
  open,
);
export type SliceEndpoint = Infer<typeof SliceEndpoint>;

export const EndpointSlice = message(
  'EndpointSlice',
  {
    addressType: string,
    endpoints: list(SliceEndpoint),
    ports: list(message('EndpointPort', { name: string, port: int32, protocol: string, appProtocol: string }, open)),
  },
  open,
);
export type EndpointSlice = Infer<typeof EndpointSlice>;
