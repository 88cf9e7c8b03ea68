// Every kind that is read: its names, versions, scope and schema.
import type { ConfigObject } from '../object.ts';
import type { Infer, Schema } from '../schema/index.ts';
import { DestinationRule } from './destination-rule/destination-rule.ts';
import { IstioGateway } from './gateway.ts';
import { BackendTLSPolicy } from './gateway-api/backend-tls-policy.ts';
import { GatewayClass, KubeGateway, ListenerSet, ReferenceGrant } from './gateway-api/gateway.ts';
import {
  GatewayGRPCRoute,
  GatewayHTTPRoute,
  GatewayTCPRoute,
  GatewayTLSRoute,
} from './gateway-api/routes.ts';
import { ConfigMap, KubeNode, KubeService, Namespace, Pod, Secret } from './kubernetes/core.ts';
import { EndpointSlice } from './kubernetes/endpoint-slice.ts';
import { Ingress, IngressClass } from './kubernetes/ingress.ts';
import { PeerAuthentication } from './peer-authentication.ts';
import { Process } from './process.ts';
import { ProxyConfig } from './proxy-config.ts';
import { ServiceEntry } from './service-entry.ts';
import { Sidecar } from './sidecar.ts';
import { VirtualService } from './virtual-service/virtual-service.ts';
import { WorkloadEntry } from './workload-entry.ts';
import { WorkloadGroup } from './workload-group.ts';

export interface KindDefinition<Spec> {
  readonly group: string;
  readonly versions: readonly string[];
  /** The kind that users write, where it differs from ours because two groups use the same word. */
  readonly writtenKind?: string;
  readonly clusterScoped?: boolean;
  /** Why resources of the kind do nothing yet. */
  readonly noEffect?: string;
  readonly schema: Schema<Spec>;
  /**
   * `spec`: the content is there. `root`: it stands beside metadata. A list: in `spec`, and these fields
   * beside it.
   */
  readonly content: 'spec' | 'root' | readonly string[];
}

const istio = {
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  content: 'spec',
} as const;
const gatewayApi = {
  group: 'gateway.networking.k8s.io',
  versions: ['v1', 'v1beta1', 'v1alpha2'],
  content: 'spec',
} as const;
const route = {
  group: 'gateway.networking.k8s.io',
  versions: ['v1', 'v1beta1', 'v1alpha3', 'v1alpha2'],
  content: ['status'],
} as const;
const core = { group: '', versions: ['v1'] } as const;

export const kinds = {
  VirtualService: { ...istio, schema: VirtualService },
  DestinationRule: { ...istio, schema: DestinationRule },
  ServiceEntry: { ...istio, content: ['status'], schema: ServiceEntry },
  WorkloadEntry: { ...istio, schema: WorkloadEntry },
  WorkloadGroup: { ...istio, schema: WorkloadGroup },
  Gateway: { ...istio, schema: IstioGateway },
  Sidecar: { ...istio, schema: Sidecar },
  ProxyConfig: { ...istio, schema: ProxyConfig, noEffect: 'proxies are configured by their bootstrap' },
  PeerAuthentication: {
    group: 'security.istio.io',
    versions: ['v1', 'v1beta1'],
    content: 'spec',
    schema: PeerAuthentication,
  },
  Service: { ...core, content: ['status'], schema: KubeService },
  Pod: { ...core, content: ['status'], schema: Pod },
  EndpointSlice: {
    group: 'discovery.k8s.io',
    versions: ['v1', 'v1beta1'],
    content: 'root',
    schema: EndpointSlice,
  },
  Namespace: { ...core, clusterScoped: true, content: 'spec', schema: Namespace },
  Node: { ...core, clusterScoped: true, content: ['status'], schema: KubeNode },
  Secret: { ...core, content: 'root', schema: Secret },
  ConfigMap: { ...core, content: 'root', schema: ConfigMap },
  Ingress: { group: 'networking.k8s.io', versions: ['v1'], content: ['status'], schema: Ingress },
  IngressClass: {
    group: 'networking.k8s.io',
    versions: ['v1'],
    clusterScoped: true,
    content: 'spec',
    schema: IngressClass,
  },
  'gateway.networking.k8s.io/Gateway': { ...gatewayApi, writtenKind: 'Gateway', schema: KubeGateway },
  ListenerSet: { ...gatewayApi, schema: ListenerSet },
  GatewayClass: { ...gatewayApi, clusterScoped: true, schema: GatewayClass },
  HTTPRoute: { ...route, schema: GatewayHTTPRoute },
  GRPCRoute: { ...route, schema: GatewayGRPCRoute },
  TLSRoute: { ...route, schema: GatewayTLSRoute },
  TCPRoute: { ...route, schema: GatewayTCPRoute },
  BackendTLSPolicy: { ...route, schema: BackendTLSPolicy },
  ReferenceGrant: { ...gatewayApi, schema: ReferenceGrant },
  Process: { group: 'meltemi.dev', versions: ['v1'], content: 'spec', schema: Process },
} as const satisfies Readonly<Record<string, KindDefinition<unknown>>>;

export type Kind = keyof typeof kinds;
export type SpecOf<K extends Kind> = Infer<(typeof kinds)[K]['schema']>;
export type ObjectOfKind<K extends Kind> = ConfigObject<K, SpecOf<K>>;
/** Any resource; `kind` tells which. */
export type AnyConfig = { [K in Kind]: ObjectOfKind<K> }[Kind];
