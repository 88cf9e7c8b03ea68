import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, type SpecCase } from '../../findings-of.ts';

const rule = (fields: string): string => `{hosts: [a], http: [{${fields}}]}`;
const routed = (fields: string): string => rule(`route: [{destination: {host: a}}], ${fields}`);
const matched = (fields: string): string => routed(`match: [{${fields}}]`);

const cases: readonly SpecCase[] = [
  { name: 'a plain rule', spec: routed('timeout: 5s'), expected: [] },
  { name: 'no rules', spec: '{hosts: [a]}', expected: ['MT0121'] },
  {
    name: 'a rule without action, as published in 2018',
    spec: rule('match: [{uri: {prefix: /}}]'),
    expected: ['MT0107 http[0]'],
  },
  { name: 'route and redirect', spec: routed('redirect: {uri: /}'), expected: ['MT0108 http[0].redirect'] },
  {
    name: 'direct response with a fault',
    spec: rule('directResponse: {status: 200}, fault: {abort: {httpStatus: 500}}'),
    expected: ['MT0108 http[0].fault'],
  },
  {
    name: 'legacy abort percent',
    spec: routed('fault: {abort: {percent: 100, httpStatus: 500}}'),
    expected: ['MT0301 http[0].fault.abort.percent'],
  },
  {
    name: 'legacy delay percent',
    spec: routed('fault: {delay: {percent: 100, fixedDelay: 2s}}'),
    expected: ['MT0302 http[0].fault.delay.percent'],
  },
  {
    name: 'mirrorPercent',
    spec: routed('mirror: {host: b}, mirrorPercent: 5'),
    expected: ['MT0302 http[0].mirrorPercent'],
  },
  {
    name: 'mirror_percent',
    spec: routed('mirror: {host: b}, mirror_percent: 5'),
    expected: ['MT0302 http[0].mirror_percent'],
  },
  {
    name: 'mirror_percentage',
    spec: routed('mirror: {host: b}, mirror_percentage: {value: 5}'),
    expected: [],
  },
  {
    name: 'mirror and mirrors',
    spec: routed('mirror: {host: b}, mirrors: [{destination: {host: c}}]'),
    expected: ['MT0108 http[0].mirrors'],
  },
  {
    name: 'a status that is none',
    spec: rule('directResponse: {status: 600}'),
    expected: ['MT0124 http[0].directResponse.status'],
  },
  {
    name: 'a fault with a status that is none',
    spec: routed('fault: {abort: {httpStatus: 600}}'),
    expected: ['MT0124 http[0].fault.abort.httpStatus'],
  },
  {
    name: 'a query parameter without a name',
    spec: matched('queryParams: {"": {exact: a}}'),
    expected: ['MT0128 http[0].match[0].queryParams[""]'],
  },
  {
    name: 'weights beyond 32 bits',
    spec: rule(
      'route: [{destination: {host: a}, weight: 2147483647}, {destination: {host: b}, weight: 2147483647}, {destination: {host: c}, weight: 2}]',
    ),
    expected: ['MT0114 http[0].route'],
  },
  {
    name: 'a redirect code that only Istio takes',
    spec: rule('redirect: {uri: /, redirectCode: 304}'),
    expected: ['MT0123 http[0].redirect.redirectCode'],
  },
  { name: 'a redirect to nowhere', spec: rule('redirect: {}'), expected: ['MT0123 http[0].redirect'] },
  {
    name: 'prefixRewrite on an exact match',
    spec: rule('match: [{uri: {exact: /}}], redirect: {prefixRewrite: /b}'),
    expected: ['MT0123 http[0].match[0].uri'],
  },
  {
    name: 'weights of 0',
    spec: rule('route: [{destination: {host: a}, weight: 0}, {destination: {host: b}}]'),
    expected: ['MT0114 http[0].route'],
  },
  {
    name: 'one destination of weight 0',
    spec: rule('route: [{destination: {host: a}, weight: 0}]'),
    expected: [],
  },
  {
    name: 'no host in a destination',
    spec: rule('route: [{destination: {}}]'),
    expected: ['MT0103 http[0].route[0].destination.host'],
  },
  { name: 'timeout of 0', spec: routed('timeout: 0s'), expected: ['MT0106 http[0].timeout'] },
  {
    name: 'timeout below a millisecond',
    spec: routed('timeout: 1.5ms'),
    expected: ['MT0106 http[0].timeout'],
  },
  { name: 'timeout as a number', spec: routed('timeout: 5'), expected: ['MT0106 http[0].timeout'] },
  { name: 'regex', spec: matched('uri: {regex: "[0-9"}'), expected: ['MT0110 http[0].match[0].uri.regex'] },
  {
    name: 'lookahead is not RE2',
    spec: matched('uri: {regex: "(?=a)"}'),
    expected: ['MT0110 http[0].match[0].uri.regex'],
  },
  {
    name: 'regex for presence',
    spec: matched('headers: {a: {regex: "*"}}'),
    expected: ['MT0110 http[0].match[0].headers.a.regex'],
  },
  {
    name: 'regex for a query parameter',
    spec: matched('queryParams: {a: {regex: "*"}}'),
    expected: ['MT0110 http[0].match[0].queryParams.a.regex'],
  },
  { name: 'regex for absence', spec: matched('withoutHeaders: {a: {regex: "*"}}'), expected: [] },
  {
    name: 'pseudo headers of requests and answers',
    spec: matched('headers: {":path": {prefix: /}, ":method": {exact: GET}}'),
    expected: [],
  },
  {
    name: 'a pseudo header that is none',
    spec: matched('headers: {":query": {exact: a}}'),
    expected: ['MT0113 http[0].match[0].headers[":query"]'],
  },
  { name: 'port 0 is any port', spec: matched('port: 0'), expected: [] },
  { name: 'a port that is none', spec: matched('port: 65536'), expected: ['MT0105 http[0].match[0].port'] },
  {
    name: 'port 0 of TCP',
    spec: '{hosts: [a], tcp: [{match: [{port: 0}], route: [{destination: {host: a}}]}]}',
    expected: [],
  },
  {
    name: 'port 0 of TLS',
    spec: '{hosts: [a.b], tls: [{match: [{port: 0, sniHosts: [a.b]}], route: [{destination: {host: a}}]}]}',
    expected: [],
  },
  {
    name: 'redirect to a port that is none',
    spec: rule('redirect: {port: 70000}'),
    expected: ['MT0105 http[0].redirect.port'],
  },
  {
    name: 'legacy percent above all',
    spec: routed('fault: {delay: {percent: 101, fixedDelay: 2s}}'),
    expected: ['MT0302 http[0].fault.delay.percent'],
  },
  {
    name: 'legacy percent below none',
    spec: routed('fault: {delay: {percent: -1, fixedDelay: 2s}}'),
    expected: ['MT0302 http[0].fault.delay.percent', 'MT0115 http[0].fault.delay.percent'],
  },
  { name: 'empty prefix of a path', spec: matched('uri: {prefix: ""}'), expected: [] },
  {
    name: 'empty prefix of a header',
    spec: matched('headers: {a: {prefix: ""}}'),
    expected: ['MT0128 http[0].match[0].headers.a.prefix'],
  },
  {
    name: 'two matches in one',
    spec: matched('uri: {exact: /a, prefix: /b}'),
    expected: ['MT0128 http[0].match[0].uri'],
  },
  {
    name: 'header match of nothing',
    spec: matched('headers: {a: }'),
    expected: ['MT0101 http[0].match[0].headers.a'],
  },
  { name: 'withoutHeaders of nothing', spec: matched('withoutHeaders: {a: }'), expected: [] },
  {
    name: 'claims on the mesh',
    spec: matched('headers: {"@request.auth.claims.g": {exact: b}}'),
    expected: ['MT0120 http[0].match[0].headers["@request.auth.claims.g"]'],
  },
  {
    name: 'retries at 0 attempts',
    spec: routed('retries: {attempts: 0, perTryTimeout: 1s}'),
    expected: ['MT0122 http[0].retries.attempts'],
  },
  {
    name: 'retry conditions',
    spec: routed('retries: {attempts: 2, retryOn: "5xx,503,always"}'),
    expected: ['MT0122 http[0].retries.retryOn'],
  },
  {
    name: 'pseudo header',
    spec: routed('headers: {request: {set: {":path": /}}}'),
    expected: ['MT0113 http[0].headers.request.set[":path"]'],
  },
  {
    name: 'authority twice',
    spec: routed('rewrite: {authority: a}, headers: {request: {set: {Host: b}}}'),
    expected: ['MT0108 http[0]'],
  },
  {
    name: 'percent sign in a header value',
    spec: routed('headers: {response: {set: {a: 50% off}}}'),
    expected: ['MT0113 http[0].headers.response.set.a'],
  },
  {
    name: 'variables in a header value',
    spec: routed('headers: {response: {set: {a: "%REQ(x-a)% 50%%"}}}'),
    expected: [],
  },
  {
    name: 'a rule after a catch-all',
    spec: '{hosts: [a], http: [{route: [{destination: {host: a}}]}, {directResponse: {status: 404}}]}',
    expected: ['MT0151 http[1]'],
  },
  {
    name: 'a covered match',
    spec: matched('uri: {prefix: /a}}, {uri: {prefix: /ab}, method: {exact: GET}'),
    expected: ['MT0151 http[0].match[1]'],
  },
  {
    name: 'two hosts of which one covers the other',
    spec: '{hosts: ["*.b.c", a.b.c], http: [{directResponse: {status: 200}}]}',
    expected: ['MT0116 hosts[1]'],
  },
  {
    name: 'every host on the mesh',
    spec: '{hosts: ["*"], http: [{directResponse: {status: 200}}]}',
    expected: ['MT0127 hosts[0]'],
  },
  {
    name: 'every host at a gateway',
    spec: '{hosts: ["*"], gateways: [g], http: [{directResponse: {status: 200}}]}',
    expected: [],
  },
  {
    name: 'old gateway name',
    spec: '{hosts: [a], gateways: [g.n.svc.cluster.local], http: [{directResponse: {status: 200}}]}',
    expected: ['MT0303 gateways[0]'],
  },
  {
    name: 'a delegate with gateways',
    spec: '{gateways: [g], http: [{directResponse: {status: 200}}]}',
    expected: ['MT0126 gateways'],
  },
  {
    name: 'a delegate that delegates',
    spec: '{http: [{delegate: {name: b}}]}',
    expected: ['MT0126 http[0].delegate', 'MT0107 http[0]'],
  },
  { name: 'delegate beside route', spec: routed('delegate: {name: b}'), expected: ['MT0126 http[0].route'] },
  {
    name: 'TLS without SNI',
    spec: '{hosts: [a], tls: [{match: [{port: 443}], route: [{destination: {host: a}}]}]}',
    expected: ['MT0103 tls[0].match[0].sniHosts'],
  },
  {
    name: 'SNI of another host',
    spec: '{hosts: [a.b], tls: [{match: [{sniHosts: [c.d]}], route: [{destination: {host: a}}]}]}',
    expected: ['MT0109 tls[0].match[0].sniHosts[0]'],
  },
  {
    name: 'TCP without route',
    spec: '{hosts: [a], tcp: [{match: [{port: 443}]}]}',
    expected: ['MT0107 tcp[0].route'],
  },
  {
    name: 'exportTo',
    spec: '{hosts: [a], exportTo: ["*", b], http: [{directResponse: {status: 200}}]}',
    expected: ['MT0112 exportTo'],
  },
  { name: 'misspelt field', spec: routed('timout: 5s'), expected: ['MT0102 http[0].timout'] },
];

for (const item of cases)
  test(`VirtualService: ${item.name}`, () =>
    assert.deepEqual(findingsOf('VirtualService', item), item.expected));

const raw = String.raw;
const broken: readonly (readonly [string, string, string])[] = [
  ['rewrite of a path', raw`rewrite: {uri: "/a\r\nx: y"}`, 'rewrite.uri'],
  ['rewrite of a host', raw`rewrite: {authority: "a\n"}`, 'rewrite.authority'],
  [
    'rewrite by a regex',
    raw`rewrite: {uriRegexRewrite: {match: /a, rewrite: "/b\0"}}`,
    'rewrite.uriRegexRewrite.rewrite',
  ],
  ['header to set', raw`headers: {request: {set: {a: "b\nc: d"}}}`, 'headers.request.set.a'],
  ['header to remove', raw`headers: {response: {remove: ["a\r"]}}`, 'headers.response.remove[0]'],
  ['CORS header', raw`corsPolicy: {allowHeaders: ["a\nb"]}`, 'corsPolicy.allowHeaders[0]'],
  ['name of a rule', raw`name: "a\nb"`, 'name'],
  [
    'name of a query parameter',
    raw`match: [{queryParams: {"a\nb": {exact: c}}}]`,
    raw`match[0].queryParams["a\nb"]`,
  ],
];

for (const [name, fields, path] of broken) {
  test(`VirtualService: line break or NUL in the ${name}`, () =>
    assert.deepEqual(findingsOf('VirtualService', { name, spec: routed(fields), expected: [] }), [
      `MT0134 http[0].${path}`,
    ]));
}

for (const field of ['uri', 'prefixRewrite', 'authority', 'scheme']) {
  test(`VirtualService: line break or NUL in redirect.${field}`, () => {
    const found = [raw`a\nb`, raw`a\r`, raw`\0`].flatMap((value) =>
      findingsOf('VirtualService', {
        name: field,
        spec: rule(`redirect: {${field}: "${value}"}`),
        expected: [],
      }),
    );
    assert.deepEqual(found, Array(3).fill(`MT0134 http[0].redirect.${field}`));
  });
}

test('VirtualService: a body may have lines', () => {
  const spec = rule(raw`directResponse: {status: 200, body: {string: "a\nb"}}`);
  assert.deepEqual(findingsOf('VirtualService', { name: 'body', spec, expected: [] }), []);
});
