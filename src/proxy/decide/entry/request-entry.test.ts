// What becomes of the fields of a request before it has a route.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { Headers } from '../../codec/http/headers.ts';
import { Request } from '../../codec/http/request.ts';
import { filterCatalog } from '../../filters/all.ts';
import { planManager } from '../../plan/http/manager-plan.ts';
import { enterRequest } from './request-entry.ts';

interface Case {
  readonly manager?: object;
  readonly fields?: Readonly<Record<string, string>>;
  /** The fields afterwards that are named here; null for one that is not there. */
  readonly after: Readonly<Record<string, string | null>>;
  readonly internal?: boolean;
  readonly clientIp?: string;
}

function check(name: string, { manager = {}, fields = {}, after, internal, clientIp }: Case): void {
  test(name, () => {
    const json = { route_config: { name: 'r' }, ...manager } as JsonValue;
    const source = fromJson(HttpConnectionManagerSchema, json);
    const config = planManager(source, { outbound: false, catalog: filterCatalog }, []);
    const request = new Request({
      method: 'GET',
      path: '/',
      authority: 'a',
      scheme: '',
      upgrade: undefined,
      protocol: 'http/1.1',
      headers: Headers.of(fields),
    });
    const entry = enterRequest(request, { connection, config, newId: () => 'new' });
    const found = Object.keys(after).map((field) => [field, request.headers.get(field) ?? null]);
    assert.deepEqual(Object.fromEntries(found), after);
    if (internal !== undefined) assert.equal(entry.internal, internal);
    if (clientIp !== undefined) assert.equal(entry.clientIp, clientIp);
  });
}

const connection = {
  id: 1,
  remoteIp: '10.1.0.1',
  remotePort: 4000,
  localIp: '10.0.0.9',
  localPort: 80,
  redirected: false,
  hops: 0,
  tls: undefined,
  serverName: undefined,
};
const edge = { use_remote_address: true };
const private10 = {
  internal_address_config: { cidr_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] },
};

check('an edge appends who it is called by, and says how', {
  manager: edge,
  fields: { 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https' },
  after: {
    'x-forwarded-for': '1.2.3.4,10.1.0.1',
    'x-forwarded-proto': 'http',
    'x-envoy-external-address': '10.1.0.1',
  },
  clientIp: '10.1.0.1',
});
check('an edge that is told not to append does not', {
  manager: { ...edge, skip_xff_append: true },
  fields: { 'x-forwarded-for': '1.2.3.4' },
  after: { 'x-forwarded-for': '1.2.3.4' },
});
check('behind a trusted proxy the client is who called that', {
  manager: { ...edge, xff_num_trusted_hops: 1 },
  fields: { 'x-forwarded-for': '9.9.9.9, 1.2.3.4', 'x-forwarded-proto': 'https' },
  after: { 'x-forwarded-proto': 'https', 'x-envoy-external-address': '1.2.3.4' },
  clientIp: '1.2.3.4',
});
check('an address that is none is not believed', {
  manager: { ...edge, xff_num_trusted_hops: 1 },
  fields: { 'x-forwarded-for': 'nobody' },
  after: {},
  clientIp: '10.1.0.1',
});
check('within the mesh the caller is who the list ends with, and nothing is appended', {
  fields: { 'x-forwarded-for': '9.9.9.9,1.2.3.4' },
  after: { 'x-forwarded-for': '9.9.9.9,1.2.3.4', 'x-envoy-external-address': null },
  clientIp: '1.2.3.4',
});
check('a caller from the configured ranges is internal, and may tell the proxy what to do', {
  manager: { ...edge, ...private10 },
  fields: { 'x-envoy-retry-on': '5xx' },
  after: { 'x-envoy-internal': 'true', 'x-envoy-retry-on': '5xx', 'x-envoy-external-address': null },
  internal: true,
});
check('one that was called by somebody itself is not', {
  manager: { ...edge, ...private10 },
  fields: { 'x-forwarded-for': '1.2.3.4', 'x-envoy-retry-on': '5xx' },
  after: { 'x-envoy-internal': null, 'x-envoy-retry-on': null },
  internal: false,
});
check('nobody is where no ranges are configured, whatever they say', {
  fields: { 'x-envoy-internal': 'true', 'x-envoy-upstream-rq-timeout-ms': '1' },
  after: { 'x-envoy-internal': null, 'x-envoy-upstream-rq-timeout-ms': null },
  internal: false,
});
check('only an edge drops what is said about the caller', {
  fields: { 'x-envoy-downstream-service-node': 'n' },
  after: { 'x-envoy-downstream-service-node': 'n' },
});
check('an edge does', {
  manager: edge,
  fields: { 'x-envoy-downstream-service-node': 'n', 'x-envoy-attempt-count': '1' },
  after: { 'x-envoy-downstream-service-node': null, 'x-envoy-attempt-count': '1' },
});

check('a request has an id', { after: { 'x-request-id': 'new' } });
check('it keeps the one that it has', {
  fields: { 'x-request-id': 'old' },
  after: { 'x-request-id': 'old' },
});
check('at an edge it does not', {
  manager: edge,
  fields: { 'x-request-id': 'old' },
  after: { 'x-request-id': 'new' },
});
check('at an edge that keeps them it does', {
  manager: { ...edge, preserve_external_request_id: true },
  fields: { 'x-request-id': 'old' },
  after: { 'x-request-id': 'old' },
});
check('where none are made it has none', {
  manager: { generate_request_id: false },
  after: { 'x-request-id': null },
});

check('whom it came by', { manager: { via: 'me' }, fields: { via: 'a' }, after: { via: 'a, me' } });
check('it came by nobody yet', { manager: { via: 'me' }, after: { via: 'me' } });
check('trailers are all that may be asked for', {
  fields: { te: 'gzip, Trailers;q=1' },
  after: { te: 'trailers' },
});
check('other codings are not asked for', { fields: { te: 'gzip' }, after: { te: null } });
check('a client certificate that nobody showed is not passed on', {
  fields: { 'x-forwarded-client-cert': 'By=x' },
  after: { 'x-forwarded-client-cert': null },
});
check('except by who always passes it on', {
  manager: { forward_client_cert_details: 'ALWAYS_FORWARD_ONLY' },
  fields: { 'x-forwarded-client-cert': 'By=x' },
  after: { 'x-forwarded-client-cert': 'By=x' },
});
