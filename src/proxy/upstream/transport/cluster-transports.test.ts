import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { knownTypes } from '../../known-types.ts';
import { readSource } from '../../net/data-source.ts';
import { Stats } from '../../observe/stats.ts';
import { planCluster } from '../../plan/cluster/cluster-plan.ts';
import { HandshakeReport } from '../../tls/handshake-report.ts';
import { SecretStore } from '../../tls/secret-store.ts';
import { type ClusterTransports, clusterTransports } from './cluster-transports.ts';

interface Made {
  readonly transports: ClusterTransports;
  readonly problems: readonly string[];
  /** Secrets that were asked for. */
  readonly wanted: readonly string[];
}

function made(json: object): Made {
  const source = fromJson(ClusterSchema, { name: 'c', ...json } as JsonValue, { registry: knownTypes });
  const { plan, problems: found } = planCluster(source);
  assert.deepEqual(found, []);
  const wanted: string[] = [];
  const problems: string[] = [];
  const context = {
    secrets: new SecretStore(({ name }) => wanted.push(name), readSource),
    report: new HandshakeReport({ scope: 'c', stats: new Stats(), log: () => undefined, now: () => 0 }),
  };
  return { transports: clusterTransports(plan, context, problems), problems, wanted };
}

const tls = (common_tls_context: object): object => ({
  name: 'tls',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
    common_tls_context,
  },
});
const sds = { validation_context_sds_secret_config: { name: 'ROOTCA', sds_config: { ads: {} } } };

test('a host may ask for another transport than that of its cluster', () => {
  const { transports, wanted } = made({
    transport_socket_matches: [
      { name: 'tls', match: { tlsMode: 'istio' }, transport_socket: tls(sds) },
      { name: 'none', match: { never: true } },
    ],
  });
  const of = (fields: object): boolean =>
    transports.forHost({ 'envoy.transport_socket_match': fields as Record<string, unknown> }).secure;
  assert.deepEqual([of({ tlsMode: 'istio' }), of({ tlsMode: 'other' }), of({})], [true, false, false]);
  assert.equal(transports.forHost({}), transports.own);
  assert.deepEqual(wanted, ['ROOTCA']);
});

test('a cluster waits for the secrets of all its transports', () => {
  assert.equal(made({}).transports.settled, true);
  assert.equal(made({ transport_socket: tls(sds) }).transports.settled, false);
  const other = made({ transport_socket_matches: [{ match: { a: 'b' }, transport_socket: tls(sds) }] });
  assert.equal(other.transports.settled, false);
});

test('roots that cannot be read are found when they are needed, and refuse the cluster', () => {
  const ca = { validation_context: { trusted_ca: { filename: '/none/such.pem' } } };
  const { problems, wanted } = made({ transport_socket: tls(ca) });
  assert.match(problems.join(), /trusted CA certificates: \/none\/such\.pem cannot be read: ENOENT/);
  assert.deepEqual(wanted, []);
});
