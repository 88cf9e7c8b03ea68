// What the gateway answers to a request: its decisions, over many draws, in words.
import {
  type FaultOutcome,
  type ForwardDecision,
  faultDecision,
  isFault,
  type RequestView,
  type RouteDecision,
} from '../../proxy/pure.ts';
import { parseClusterName } from '../../translate/index.ts';
import type { GatewayRoutes } from './gateway-routes.ts';

export interface Prediction {
  /** `90 % v1, 10 % v2` */
  readonly text: string;
  readonly hasFault: boolean;
}

const draws = 100;

/** `faultNote` is put behind a fault: where it comes from. */
export function predict(routes: GatewayRoutes, request: RequestView, faultNote: string): Prediction {
  const counts = new Map<string, number>();
  let hasFault = false;
  for (let draw = 0; draw < draws; draw++) {
    const random = drawn(draw);
    const decision = routes.table.choose(request, { random });
    const fault = decision.kind === 'forward' ? faultOf(decision, request, random) : undefined;
    const text = faultText(fault);
    if (text !== undefined) hasFault = true;
    const told = text === undefined ? answerOf(decision, routes) : text + faultNote;
    counts.set(told, (counts.get(told) ?? 0) + 1);
  }
  const [[only = ''] = [], ...others] = counts;
  if (others.length === 0) return { text: only, hasFault };
  return { text: [...counts].map(([told, count]) => `${count} % ${told}`).join(', '), hasFault };
}

/** Evenly spread: the first number of each request over all, the next ones independent of it. */
function drawn(draw: number): () => number {
  let at = draw;
  return () => {
    const value = (at + 0.5) / draws;
    at = (at * stride) % draws;
    return value;
  };
}

/** Has no divisor in common with the number of draws. */
const stride = 37;

function faultOf(
  { filters, cluster }: ForwardDecision,
  request: RequestView,
  random: () => number,
): FaultOutcome | undefined {
  for (const { config } of filters)
    if (isFault(config)) return faultDecision(config.plan, request, { random, cluster, activeFaults: 0 });
  return undefined;
}

function faultText(fault: FaultOutcome | undefined): string | undefined {
  if (fault?.abort)
    return fault.abort.kind === 'http' ? `HTTP ${fault.abort.status}` : `gRPC ${fault.abort.status}`;
  return fault && fault.delay > 0 ? `${fault.delay / 1000} s later` : undefined;
}

function answerOf(decision: RouteDecision, { hasCluster }: GatewayRoutes): string {
  switch (decision.kind) {
    case 'forward':
      if (hasCluster(decision.cluster)) return targetName(decision.cluster);
      return `HTTP ${decision.route.clusterNotFoundStatus} (no ${targetName(decision.cluster)})`;
    case 'redirect':
      return `HTTP ${decision.status} to ${decision.location}`;
    case 'directResponse':
      return `HTTP ${decision.status}`;
    default:
      return 'HTTP 404';
  }
}

/** The subset of a cluster, or its service as one would write it. */
function targetName(cluster: string): string {
  const parsed = parseClusterName(cluster);
  if (!parsed) return cluster;
  const { subset, host } = parsed;
  if (subset) return subset;
  const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc\./.exec(host) ?? [];
  if (name === undefined) return host;
  return namespace === 'default' ? name : `${name}.${namespace}`;
}
