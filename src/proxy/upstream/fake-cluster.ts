// Clusters for tests, whose connections are opened and refused by hand.

import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { knownTypes } from '../known-types.ts';
import { FakeClock } from '../net/fake-clock.ts';
import { OwnConnections } from '../net/own-connections.ts';
import { Stats } from '../observe/stats.ts';
import { planCluster } from '../plan/cluster/cluster-plan.ts';
import { Cluster } from './cluster.ts';
import { FakeWire } from './http/fake-wire.ts';
import type { Resolve } from './resolver.ts';
import type { ClusterTransports } from './transport/cluster-transports.ts';
import type { ConnectRequest, ConnectResult, Transport } from './transport/transport.ts';

export interface FakeAttempt {
  readonly request: ConnectRequest;
  readonly wire: FakeWire;
  isGivenUp: boolean;
  succeed(): void;
  fail(timedOut?: boolean): void;
}

export class FakeTransport implements Transport {
  readonly secure = false;
  readonly tellsClient = false;
  settled = true;
  readonly attempts: FakeAttempt[] = [];

  connect(request: ConnectRequest, result: ConnectResult): () => void {
    const wire = new FakeWire();
    const attempt: FakeAttempt = {
      request,
      wire,
      isGivenUp: false,
      succeed: () => result.connected(wire, undefined),
      fail: (timedOut = false) => result.failed('refused', timedOut),
    };
    this.attempts.push(attempt);
    return () => {
      attempt.isGivenUp = true;
    };
  }
}

export interface FakeCluster {
  readonly cluster: Cluster;
  readonly transport: FakeTransport;
  readonly clock: FakeClock;
  /** By the name that follows `cluster.c.`. */
  readonly count: (name: string) => number;
}

export interface FakeClusterParts {
  readonly resolve?: Resolve;
  /** Shared by clusters of one proxy, as is the transport. */
  readonly clock?: FakeClock;
  readonly transport?: FakeTransport;
}

export function fakeCluster(
  json: object = {},
  {
    resolve = async () => undefined,
    clock = new FakeClock(),
    transport = new FakeTransport(),
  }: FakeClusterParts = {},
): FakeCluster {
  const source = fromJson(ClusterSchema, { name: 'c', ...json } as JsonValue, { registry: knownTypes });
  const stats = new Stats();
  const transports: ClusterTransports = {
    own: transport,
    get settled() {
      return transport.settled;
    },
    forHost: () => transport,
  };
  const cluster = new Cluster(planCluster(source).plan, {
    stats,
    transports,
    clock,
    random: () => 0,
    own: new OwnConnections(),
    resolve,
  });
  const count = (name: string): number =>
    stats.all().find((stat) => stat.name === `cluster.c.${name}`)?.value ?? 0;
  return { cluster, transport, clock, count };
}

/** A `load_assignment` of hosts by address. */
export function endpointsAt(...addresses: readonly string[]): object {
  return {
    load_assignment: {
      cluster_name: 'c',
      endpoints: [
        {
          lb_endpoints: addresses.map((address) => ({
            endpoint: { address: { socket_address: { address, port_value: 80 } } },
          })),
        },
      ],
    },
  };
}
