// The proxies that configuration is made for, and the part of a proxy that decides what it gets.
import { compareText } from '../base/index.ts';

export type ProxyType = 'sidecar' | 'router';

/** What a proxy says of itself in its node message, in the mesh's terms. */
export interface ProxyNode {
  readonly id: string;
  readonly type: ProxyType;
  readonly name: string;
  readonly namespace: string;
  /** First address first. */
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly clusterId: string;
  /** `region/zone/subzone`; empty when unknown. */
  readonly locality: string;
  readonly nodeName?: string;
  readonly network: string;
  /**
   * Of a workload without capture: where its application listens on the loopback address, by the port that
   * its proxy listens on.
   */
  readonly applicationPorts: ReadonlyMap<number, number>;
  /** Port of an explicit HTTP proxy for the application; 0 for none. */
  readonly httpProxyPort: number;
  /** Whether traffic is captured; without (`INTERCEPTION_MODE: NONE`), listeners bind their own ports. */
  readonly captured: boolean;
  /** Whether applications ask the proxy for names (`DNS_CAPTURE`). */
  readonly capturesDns?: boolean;
  /** An application that speaks xDS itself, without a proxy. */
  readonly isGrpc?: boolean;
}

/**
 * Proxies of one audience get the same listeners, routes and clusters. Made by `Mesh.audienceOf` and
 * `Mesh.locatedAudienceOf`, which keep of the labels only those that some rule in force looks at, and make
 * one object of all that are equal.
 */
export interface Audience {
  readonly type: ProxyType;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: string;
  /** Name of the machine, where some service tells machines apart. */
  readonly node: string;
  readonly network: string;
  readonly captured: boolean;
  /**
   * Kind of the addresses that its applications get for names of services without one; empty when the proxy
   * answers for no names.
   */
  readonly allocated: '' | 'ipv4' | 'ipv6';
}

/** The same for equal audiences, whatever the order of their labels. */
export function audienceText(audience: Audience): string {
  const labels = Object.entries(audience.labels).sort(([a], [b]) => compareText(a, b));
  const { type, namespace, locality, node, network, captured, allocated } = audience;
  return JSON.stringify([type, namespace, labels, locality, node, network, captured, allocated]);
}
