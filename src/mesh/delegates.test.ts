// Delegation: what a delegate's rule becomes below its root.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HTTPMatchRequest, HTTPRoute, StringMatch } from '../config/index.ts';
import { mergeDelegates } from './delegates.ts';
import {
  type HttpMatch,
  type HttpRule,
  resolveVirtualService,
  type VirtualServiceModel,
} from './virtual-service.ts';

const model = (key: string, http: readonly HTTPRoute[]): VirtualServiceModel => {
  const [namespace = '', name = ''] = key.split('/');
  const kind = 'VirtualService';
  return resolveVirtualService(
    {
      kind,
      apiVersion: 'networking.istio.io/v1',
      metadata: { namespace, name, labels: {}, annotations: {} },
      spec: { http },
      origin: { kind, namespace, name, path: '' },
    },
    { domain: 'cluster.local', defaultExportTo: undefined },
  );
};

/** The rules of a root whose first rule delegates, followed by one of its own. */
function merged(root: Partial<HTTPRoute>, inner: readonly HTTPRoute[]): readonly HttpRule[] {
  const own: HTTPRoute = { name: 'own' };
  const delegating = { ...root, delegate: { name: 'd', namespace: 'b' } };
  return mergeDelegates(model('a/root', [delegating, own]), (key, namespace) =>
    key === 'b/d' && namespace === 'a' ? model('b/d', inner) : undefined,
  ).http.slice(0, -1);
}

/** What the match asks for, without where it was written. */
const said = ({ origins: _, ...match }: HttpMatch): unknown => JSON.parse(JSON.stringify(match));

const uri = (match: StringMatch): readonly HTTPMatchRequest[] => [{ uri: match }];

const narrowing: readonly {
  readonly name: string;
  readonly root: readonly HTTPMatchRequest[];
  readonly inner: readonly HTTPMatchRequest[];
  /** Undefined: the rule is dropped. */
  readonly expected: readonly HTTPMatchRequest[] | undefined;
}[] = [
  {
    name: 'a longer prefix',
    root: uri({ prefix: '/api' }),
    inner: uri({ prefix: '/api/v1' }),
    expected: uri({ prefix: '/api/v1' }),
  },
  {
    name: 'a shorter prefix',
    root: uri({ prefix: '/api/v1' }),
    inner: uri({ prefix: '/api' }),
    expected: undefined,
  },
  {
    name: 'a path below the prefix',
    root: uri({ prefix: '/api' }),
    inner: uri({ exact: '/api/x' }),
    expected: uri({ exact: '/api/x' }),
  },
  {
    name: 'a prefix below a path',
    root: uri({ exact: '/api' }),
    inner: uri({ prefix: '/api' }),
    expected: undefined,
  },
  {
    name: 'anything below a regular expression',
    root: uri({ regex: '.*' }),
    inner: uri({ exact: '/' }),
    expected: undefined,
  },
  {
    name: 'a regular expression below anything',
    root: uri({ prefix: '/' }),
    inner: uri({ regex: '.*' }),
    expected: undefined,
  },
  {
    name: 'a regular expression that the delegate says nothing to',
    root: uri({ regex: '.*' }),
    inner: [{ method: { exact: 'GET' } }],
    expected: [{ uri: { regex: '.*' }, method: { exact: 'GET' } }],
  },
  { name: 'other ports', root: [{ port: 80 }], inner: [{ port: 81 }], expected: undefined },
  { name: 'a port of the root alone', root: [{ port: 80 }], inner: [{}], expected: [{ port: 80 }] },
  {
    name: 'no match in the delegate',
    root: uri({ prefix: '/a' }),
    inner: [],
    expected: uri({ prefix: '/a' }),
  },
  { name: 'no match in the root', root: [], inner: uri({ prefix: '/a' }), expected: uri({ prefix: '/a' }) },
  {
    name: 'headers of both',
    root: [{ headers: { a: { exact: '1' } } }],
    inner: [{ headers: { b: { exact: '2' } } }],
    expected: [{ headers: { a: { exact: '1' }, b: { exact: '2' } } }],
  },
  {
    name: 'one header with two values',
    root: [{ headers: { a: { exact: '1' } } }],
    inner: [{ headers: { a: { exact: '2' } } }],
    expected: undefined,
  },
  {
    name: 'each alternative with each root that it fits below',
    root: [{ uri: { prefix: '/a' } }, { uri: { prefix: '/a/b' } }, { uri: { prefix: '/c' } }],
    inner: uri({ prefix: '/a/b/c' }),
    expected: [{ uri: { prefix: '/a/b/c' } }, { uri: { prefix: '/a/b/c' } }],
  },
  {
    name: 'one alternative that fits below no root',
    root: uri({ prefix: '/a' }),
    inner: [{ uri: { prefix: '/a/b' } }, { uri: { prefix: '/z' } }],
    expected: undefined,
  },
  {
    name: 'names of both matches',
    root: [{ name: 'outer', uri: { prefix: '/' } }],
    inner: [{ name: 'inner' }],
    expected: [{ name: 'outer-inner', uri: { prefix: '/' } }],
  },
];
for (const { name, root, inner, expected } of narrowing)
  test(`narrowed: ${name}`, () => {
    const rules = merged({ match: root }, [{ match: inner }]);
    assert.deepEqual(
      rules.map(({ match = [] }) => match.map(said)),
      expected === undefined ? [] : [expected],
    );
  });

test('what the delegate says holds, what it leaves out is inherited', () => {
  const [rule] = merged(
    { name: 'outer', timeout: 1000, rewrite: { uri: '/root' }, retries: { attempts: 1 } },
    [{ name: 'inner', timeout: 5000, headers: { request: { set: { a: 'b' } } } }],
  );
  assert.equal(rule?.name, 'outer-inner');
  assert.equal(rule?.timeout, 5000);
  assert.deepEqual(rule?.rewrite, { uri: '/root' });
  assert.deepEqual(rule?.retries, { attempts: 1 });
  assert.deepEqual(rule?.headers, { request: { set: { a: 'b' } } });
  assert.equal(rule?.delegate, undefined);
});

test('a merged rule and its matches are of the delegate and of the root, in this order', () => {
  const root = model('a/root', [
    { match: uri({ exact: '/x' }) },
    { match: uri({ prefix: '/api' }), delegate: { name: 'd', namespace: 'b' } },
  ]);
  const inner = model('b/d', [{ match: uri({ prefix: '/api/v1' }) }, { match: uri({ prefix: '/api/v2' }) }]);
  const { http } = mergeDelegates(root, () => inner);
  const places = ({ origins }: Pick<(typeof http)[number], 'origins'>): readonly string[] =>
    origins.map(({ namespace, name, path }) => `${namespace}/${name} ${path}`);
  assert.deepEqual(http.map(places), [
    ['a/root spec.http[0]'],
    ['b/d spec.http[0]', 'a/root spec.http[1]'],
    ['b/d spec.http[1]', 'a/root spec.http[1]'],
  ]);
  assert.deepEqual(http[2]?.match?.map(places), [
    ['b/d spec.http[1].match[0]', 'a/root spec.http[1].match[0]'],
  ]);
});

test('a delegate that is missing leaves the other rules as they are', () => {
  const root = model('a/root', [{ delegate: { name: 'nobody', namespace: 'b' } }, { name: 'own' }]);
  assert.deepEqual(
    mergeDelegates(root, () => undefined).http.map(({ name }) => name),
    ['own'],
  );
});

const path = fc.stringMatching(/^(\/[ab]{1,2}){1,3}$/);
const textMatch = fc.oneof(
  path.map((exact): StringMatch => ({ exact })),
  path.map((prefix): StringMatch => ({ prefix })),
);
const fits = (match: StringMatch | undefined, text: string): boolean =>
  match === undefined ||
  (match.exact !== undefined ? match.exact === text : text.startsWith(match.prefix ?? ''));

test('a merged rule matches only what both the root and the delegate match', () => {
  const alternatives = fc.array(fc.record({ uri: textMatch }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(alternatives, alternatives, path, (root, inner, text) => {
      const [rule] = merged({ match: root }, [{ match: inner }]);
      const matches = (list: readonly HTTPMatchRequest[]): boolean => list.some((one) => fits(one.uri, text));
      if (rule?.match && matches(rule.match)) assert.ok(matches(root) && matches(inner));
      // Nothing is lost either, as long as the rule is not dropped.
      if (rule?.match && matches(inner)) assert.ok(matches(rule.match));
    }),
  );
});
