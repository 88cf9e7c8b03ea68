import type { Origin } from '../base/index.ts';
import type { Protocol } from './protocol.ts';

/** How a proxy finds the addresses behind a service. */
export type Resolution =
  | 'static'
  | 'dns'
  | 'dns-round-robin'
  | 'dynamic-dns'
  | 'original-destination'
  | 'alias';

export interface ServicePort {
  readonly name: string;
  /** The port that clients dial. */
  readonly number: number;
  readonly protocol: Protocol;
  /**
   * What endpoints listen on when they do not say: a number, or the name of a container port; `number` when
   * there is none.
   */
  readonly targetPort?: number | string;
  readonly origin: Origin;
}

export interface Service {
  /** `namespace/hostname`, the identity of a service. */
  readonly key: string;
  /** Lower-case; may start with `*.`. */
  readonly hostname: string;
  readonly namespace: string;
  /** Name of the resource it comes from. */
  readonly name: string;
  readonly source: 'kubernetes' | 'service-entry';
  /** Milliseconds since the epoch; absent when the resource does not say. */
  readonly createdAt?: number;
  readonly ports: readonly ServicePort[];
  /** Virtual addresses: IPs, and CIDR ranges of service entries. */
  readonly addresses: readonly string[];
  /** Allocated by a controller in the cluster for a service without addresses. */
  readonly allocatedAddresses?: readonly string[];
  readonly resolution: Resolution;
  readonly headless: boolean;
  /** Of a service entry: whether its endpoints are workloads with the labels of a selector. */
  readonly selectsWorkloads?: boolean;
  readonly meshExternal: boolean;
  /** Namespaces as written (`.`, `*`, `~`, a name); empty when the mesh default applies. */
  readonly exportTo: readonly string[];
  readonly subjectAltNames: readonly string[];
  /** Endpoints near the client are preferred when set. */
  readonly trafficDistribution?: 'PreferSameZone' | 'PreferSameNode';
  /** Whether only endpoints on the client's own node are for it. */
  readonly nodeLocal?: boolean;
  /** The name that an ExternalName service stands for. */
  readonly externalName?: string;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Service accounts that certificates of its endpoints may carry, beyond those of the endpoints themselves.
   */
  readonly serviceAccounts: readonly string[];
  readonly origin: Origin;
}

export type EndpointHealth = 'healthy' | 'unhealthy' | 'draining';

export interface Endpoint {
  /** IP, host name, or an absolute path (`unix` is then true). */
  readonly address: string;
  readonly unix?: boolean;
  readonly servicePort: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly namespace: string;
  readonly workload: string;
  readonly serviceAccount?: string;
  /** `region/zone/subzone`; empty when unknown. */
  readonly locality: string;
  readonly network: string;
  /** 0 when not said. */
  readonly weight: number;
  /** Whether its own proxy terminates mesh TLS. */
  readonly tlsMode: 'istio' | 'disabled';
  readonly health: EndpointHealth;
  readonly nodeName?: string;
}
