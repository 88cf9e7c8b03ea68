import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { DnsFilterConfigSchema } from '@meltemi/envoy-api/envoy/extensions/filters/udp/dns_filter/v3/dns_filter';
import { entryOf } from '../../decide/dns-answer.ts';
import { type DnsPlan, planDnsFilter } from './dns-plan.ts';

function planned(json: object): { readonly plan: DnsPlan; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const source = fromJson(DnsFilterConfigSchema, { stat_prefix: 'd', ...json } as JsonValue);
  const plan = planDnsFilter(toBinary(DnsFilterConfigSchema, source), problems);
  assert.deepEqual(structuredClone(plan), plan);
  return { plan, problems };
}

const table = (...virtual_domains: object[]): object => ({
  server_config: { inline_dns_table: { virtual_domains } },
});
const domain = (name: string, ...address: string[]): object => ({
  name,
  endpoint: { address_list: { address } },
});

test('names are in lower case, their addresses by family', () => {
  const { plan } = planned(table(domain('A.example.', '10.0.0.1', '::1')));
  assert.deepEqual([...plan.names], [['a.example', { v4: ['10.0.0.1'], v6: ['::1'], ttlSeconds: 300 }]]);
  assert.equal(plan.forward, undefined);
});

test('the nearest wildcard answers for names below', () => {
  const { plan } = planned(table(domain('*.b.example', '10.0.0.1'), domain('*.example', '10.0.0.2')));
  const address = (name: string): string | undefined => entryOf(plan.names, name)?.v4[0];
  assert.deepEqual(
    [address('x.y.b.example'), address('b.example'), address('example'), address('other')],
    ['10.0.0.1', '10.0.0.2', undefined, undefined],
  );
});

test('who is asked for other names', () => {
  const { plan } = planned({
    ...table(),
    client_config: {
      resolver_timeout: '1s',
      max_pending_lookups: 7,
      upstream_resolvers: [{ socket_address: { address: '10.0.0.53', port_value: 53 } }],
    },
  });
  assert.deepEqual(plan.forward, {
    resolvers: [{ ip: '10.0.0.53', port: 53 }],
    timeoutMs: 1000,
    tries: 1,
    maxPending: 7,
  });
});

test('refused', () => {
  assert.match(planned({}).problems.join(), /inline_dns_table/);
  assert.match(planned(table(domain('a', 'x'))).problems.join(), /a: x is not an address/);
  assert.match(planned(table({ name: 'a' })).problems.join(), /a has no address_list/);
});
