// Cost of one routing decision: node_modules/.bin/node bench/route-match.ts [--output json]
import { parseArgs } from 'node:util';
import type { JsonValue } from '@bufbuild/protobuf';
import { createLoadBalancer, type LbHost, xxHash64 } from '../src/proxy/decide/lb/index.ts';
import { requestOf, routeConfiguration, seeded } from '../src/proxy/decide/route/fake-request.ts';
import { RouteTable } from '../src/proxy/decide/route/index.ts';
import { filterCatalog } from '../src/proxy/filters/all.ts';
import type { LbPlan } from '../src/proxy/plan/cluster/lb-plan.ts';
import { planRoutes } from '../src/proxy/plan/route/route-table.ts';

const { values: flags } = parseArgs({ options: { output: { type: 'string', default: 'text' } } });
const medians: Record<string, number> = {};
const rounds = 1_000_000;
const random = seeded(1);

function measure(name: string, run: () => unknown): void {
  for (let i = 0; i < rounds / 10; i++) run();
  const samples: number[] = [];
  for (let sample = 0; sample < 5; sample++) {
    const start = performance.now();
    for (let i = 0; i < rounds / 5; i++) run();
    samples.push(((performance.now() - start) * 1e6) / (rounds / 5));
  }
  samples.sort((a, b) => a - b);
  const [least, , median = 0, , most] = samples;
  medians[name] = median;
  if (flags.output === 'json') return;
  const range = `(${least?.toFixed(0)}-${most?.toFixed(0)})`;
  process.stdout.write(`${name.padEnd(52)} ${median.toFixed(0).padStart(6)} ns   ${range}\n`);
}

const action = (cluster: string) => ({ cluster, timeout: '0s', max_grpc_timeout: '0s' });
const weighted = {
  weighted_clusters: {
    clusters: [
      { name: 'v1', weight: 80 },
      { name: 'v2', weight: 20 },
    ],
  },
};
const host = (name: string, routes: JsonValue[]) => ({
  name,
  domains: [name, `${name}.default`, `${name}.default.svc.cluster.local`],
  routes,
});
const { plan, problems } = planRoutes(
  routeConfiguration({
    name: '9080',
    ignore_port_in_host_matching: true,
    virtual_hosts: [
      host('plain', [{ match: { prefix: '/' }, route: action('plain') }]),
      host('weighted', [{ match: { prefix: '/' }, route: weighted }]),
      host('headers', [
        {
          match: { prefix: '/', headers: [{ name: 'end-user', string_match: { exact: 'jason' } }] },
          route: action('v2'),
        },
        {
          match: { path: '/login', headers: [{ name: ':method', string_match: { exact: 'POST' } }] },
          route: action('v1'),
        },
        { match: { prefix: '/' }, route: action('v3') },
      ]),
      host('regex', [{ match: { safe_regex: { regex: '/api/v[0-9]+/.*' } }, route: action('v1') }]),
      host(
        'many',
        [...Array(100).keys()].map((i) => ({ match: { prefix: `/service-${i}/` }, route: action(`c${i}`) })),
      ),
      {
        name: 'allow_any',
        domains: ['*'],
        routes: [{ match: { prefix: '/' }, route: action('PassthroughCluster') }],
      },
    ],
  }),
  filterCatalog,
);
if (problems.length > 0) throw new Error(problems.join('\n'));
const table = new RouteTable(plan);
const context = { random };

const plain = requestOf({ authority: 'plain:9080', path: '/productpage?u=normal' });
const weightedRequest = requestOf({ authority: 'weighted', path: '/' });
const headers = requestOf({ authority: 'headers', path: '/reviews/7', headers: { 'end-user': 'mary' } });
const regex = requestOf({ authority: 'regex', path: '/api/v12/products/7' });
const many = requestOf({ authority: 'many', path: '/service-99/x' });
measure('plain prefix route', () => table.choose(plain, context));
measure('weighted clusters', () => table.choose(weightedRequest, context));
measure('three routes with header matches', () => table.choose(headers, context));
measure('regex path (RE2)', () => table.choose(regex, context));
measure('last of 100 prefix routes', () => table.choose(many, context));

const lb = (policy: LbPlan['policy']): LbPlan => ({
  policy,
  panicThreshold: 0,
  failOnPanic: false,
  localityWeighted: false,
  useHostnameForHashing: false,
  overprovisioning: 140,
  weightedPriorityHealth: false,
  subsets: undefined,
});
const hosts: LbHost[] = [...Array(10).keys()].map((i) => ({
  address: `10.0.0.${i}:9080`,
  weight: 1,
  health: 'healthy',
  ejected: false,
  activeRequests: 0,
}));
const localities = [{ locality: '', priority: 0, weight: 1, hosts }];
const hash = xxHash64('10.1.2.3');
const policies: readonly LbPlan['policy'][] = [
  { kind: 'roundRobin', slowStart: undefined },
  { kind: 'leastRequest', choices: 2, bias: 1, slowStart: undefined },
  { kind: 'random' },
  { kind: 'ringHash', minSize: 1024, maxSize: 8_388_608 },
  { kind: 'maglev', tableSize: 65_537 },
];
for (const policy of policies) {
  const balancer = createLoadBalancer(lb(policy), localities);
  measure(`choose a host: ${policy.kind}`, () => balancer.choose({ random, hash }));
}
measure('xxHash64 of an address', () => xxHash64('10.1.2.3'));
if (flags.output === 'json') process.stdout.write(`${JSON.stringify(medians)}\n`);
