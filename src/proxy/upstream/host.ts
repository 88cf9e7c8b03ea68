// A host of a cluster with the state that the runtime and the load balancers share.

import { peerText } from '../codec/wire-text.ts';
import type { LbHost } from '../decide/lb/index.ts';
import type { Health, HostMetadata } from '../plan/cluster/endpoints-plan.ts';
import type { HttpPool } from './pool.ts';
import type { Transport } from './transport/transport.ts';

export interface HostInit {
  readonly ip: string;
  readonly port: number;
  readonly path?: string | undefined;
  readonly address: string;
  readonly hostname: string;
  readonly weight: number;
  readonly health: Health;
  readonly metadata: HostMetadata;
  readonly addedAt: number;
  readonly transport: Transport;
}

export class Host implements LbHost {
  readonly ip: string;
  readonly port: number;
  readonly path: string | undefined;
  readonly address: string;
  readonly hostname: string;
  /** The host name as header fields may hold it. */
  readonly fieldName: string;
  readonly metadata: HostMetadata;
  readonly addedAt: number;
  readonly transport: Transport;
  weight: number;
  health: Health;
  priority = 0;
  ejected = false;
  activeRequests = 0;
  connections = 0;
  requests = 0;
  /** By protocol and, with automatic SNI, by name. */
  readonly pools = new Map<string, HttpPool>();

  constructor(init: HostInit) {
    this.ip = init.ip;
    this.port = init.port;
    this.path = init.path;
    this.address = init.address;
    this.hostname = init.hostname;
    this.fieldName = peerText(init.hostname);
    this.weight = init.weight;
    this.health = init.health;
    this.metadata = init.metadata;
    this.addedAt = init.addedAt;
    this.transport = init.transport;
  }
}
