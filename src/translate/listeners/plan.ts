// A listener as plain data: what decides it, without Envoy's words. Equal plans make equal listeners.
import type { Origin } from '../../base/index.ts';
import type { TrafficPolicy } from '../../config/index.ts';
import type { TcpTarget } from './tcp-proxy.ts';

export interface TcpChain {
  readonly sniHosts: readonly string[];
  /** CIDR ranges or addresses of the original destination. */
  readonly subnets: readonly string[];
  readonly targets: readonly TcpTarget[];
  readonly statPrefix: string;
  readonly policy?: TrafficPolicy;
  /** Where the server name of the handshake is looked up, the port to dial there. */
  readonly lookUpPort?: number;
  /** The rule that it follows, or the port of a service without one. */
  readonly origins: readonly Origin[];
}

export interface HttpChain {
  readonly routeName: string;
  readonly grpcWeb: boolean;
  /** Whether a service behind it is looked up by the Host of each request. */
  readonly dynamicDns?: boolean;
}

export interface OutboundListenerPlan {
  readonly name: string;
  readonly address: string;
  /** 0 when `address` is the path of a socket. */
  readonly port: number;
  readonly bound: boolean;
  readonly http?: HttpChain;
  readonly chains: readonly TcpChain[];
  /**
   * Where bytes go that no chain asks for; `http` takes them as requests, `undeclared` follows the outbound
   * policy.
   */
  readonly rest: TcpChain | 'http' | 'undeclared';
}
