// Both proxies on the same rows. Lanes keep the rows apart: each has a listener, a cluster and an upstream of
// its own, so that several rows can be under way at once and every byte at an upstream is known to belong to
// one row.
import { bootstrap, cluster, type Json, type ListenerParts } from './bootstrap.ts';
import { freePorts } from './free-ports.ts';
import { accepting, type Kind, kinds, ProxyProcess } from './proxy-process.ts';
import { type Handler, RawUpstream } from './raw-upstream.ts';

export interface Lane {
  readonly kind: Kind;
  readonly port: number;
  readonly upstream: RawUpstream;
}

export interface LaneOptions {
  readonly lanes?: number;
  readonly handler?: () => Handler;
  /**
   * Further fields of the listener's HTTP connection manager, its routes and so on; `cluster` is the lane's.
   */
  readonly listener?:
    | Omit<ListenerParts, 'port' | 'cluster'>
    | ((clusterName: string) => Omit<ListenerParts, 'port' | 'cluster'>);
  readonly cluster?: Json;
}

export class LanedProxy {
  readonly proxy: ProxyProcess;
  readonly lanes: readonly Lane[];

  private constructor(proxy: ProxyProcess, lanes: readonly Lane[]) {
    this.proxy = proxy;
    this.lanes = lanes;
  }

  static async start(kind: Kind, options: LaneOptions = {}): Promise<LanedProxy> {
    const count = options.lanes ?? 1;
    const [adminPort = 0, ...ports] = await freePorts(count + 1);
    const upstreams = await Promise.all(ports.map(() => RawUpstream.start(options.handler?.())));
    const listener = options.listener ?? {};
    const config = bootstrap({
      adminPort,
      listeners: ports.map((port, index) => ({
        ...(typeof listener === 'function' ? listener(`up${index}`) : listener),
        port,
        cluster: `up${index}`,
      })),
      clusters: upstreams.map((upstream, index) => cluster(`up${index}`, upstream.port, options.cluster)),
    });
    const lanes = upstreams.map((upstream, index) => ({ kind, upstream, port: ports[index] ?? 0 }));
    const proxy = await ProxyProcess.start(kind, config).catch(async (error: unknown) => {
      await stopAll(lanes);
      throw error;
    });
    await Promise.all(ports.map(accepting));
    return new LanedProxy(proxy, lanes);
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await stopAll(this.lanes);
  }
}

async function stopAll(lanes: readonly Lane[]): Promise<void> {
  await Promise.all(lanes.map(({ upstream }) => upstream.stop()));
}

/** Runs every row on both proxies; the outcomes in the order of the rows. */
export async function compare<Row, Outcome>(
  rows: readonly Row[],
  options: LaneOptions,
  outcomeOf: (lane: Lane, row: Row) => Promise<Outcome>,
): Promise<readonly { readonly row: Row; readonly embedded: Outcome; readonly envoy: Outcome }[]> {
  const [embedded = [], envoy = []] = await bothOf(
    kinds.map((kind) => runRows(kind, { rows, options, outcomeOf })),
  );
  return rows.flatMap((row, index) => {
    const [ours, theirs] = [embedded[index], envoy[index]];
    return ours === undefined || theirs === undefined ? [] : [{ row, embedded: ours, envoy: theirs }];
  });
}

/** Waits for all, so that nothing is left running, before the first failure counts. */
async function bothOf<T>(runs: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(runs);
  return Promise.all(runs);
}

interface Run<Row, Outcome> {
  readonly rows: readonly Row[];
  readonly options: LaneOptions;
  readonly outcomeOf: (lane: Lane, row: Row) => Promise<Outcome>;
}

async function runRows<Row, Outcome>(
  kind: Kind,
  { rows, options, outcomeOf }: Run<Row, Outcome>,
): Promise<readonly Outcome[]> {
  const laned = await LanedProxy.start(kind, { lanes: 8, ...options });
  const outcomes: Outcome[] = [];
  let next = 0;
  const work = async (lane: Lane): Promise<void> => {
    for (let index = next++; index < rows.length; index = next++) {
      const row = rows[index];
      if (row !== undefined) outcomes[index] = await outcomeOf(lane, row);
    }
  };
  try {
    await Promise.all(laned.lanes.map(work));
    if (!laned.proxy.alive) throw new Error(`${kind} died: ${laned.proxy.log.slice(-2000)}`);
    return outcomes;
  } finally {
    await laned.stop();
  }
}
