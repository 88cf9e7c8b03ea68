// Which requests may be routed, and as what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Headers } from '../../codec/http/headers.ts';
import { Request, type RequestInit } from '../../codec/http/request.ts';
import { type Admission, type AdmissionRules, admit } from './admit.ts';

const open: AdmissionRules = {
  path: { normalize: true, mergeSlashes: false, escapedSlashes: 'keep' },
  stripPort: 'none',
  stripTrailingDot: false,
  underscores: 'allow',
};

interface Case {
  readonly name: string;
  readonly request?: Partial<RequestInit>;
  readonly rules?: Partial<AdmissionRules>;
  readonly expected: Admission;
}

const refused = (status: number): Admission => ({ kind: 'refuse', status });
const admitted = (path = '/', authority = 'a.example'): Admission => ({ kind: 'admit', path, authority });
const underscored = new Headers(['a_b', 'c']);
const slashes = (escapedSlashes: 'reject' | 'redirect') => ({ path: { ...open.path, escapedSlashes } });

const cases: readonly Case[] = [
  { name: 'an ordinary request', expected: admitted() },
  {
    name: 'HTTP/1.0 without a host',
    request: { protocol: 'http/1.0', authority: '' },
    expected: refused(400),
  },
  { name: 'a fragment', request: { path: '/a#b' }, expected: refused(400) },
  { name: 'a path without a slash', request: { path: 'a' }, expected: refused(404) },
  { name: 'OPTIONS *', request: { method: 'OPTIONS', path: '*' }, expected: refused(404) },
  { name: 'GET *', request: { path: '*' }, expected: refused(400) },
  { name: 'CONNECT', request: { method: 'CONNECT', path: '' }, expected: admitted('') },
  { name: 'dot segments', request: { path: '/a/../b' }, expected: admitted('/b') },
  { name: 'dot segments above the root', request: { path: '/../b' }, expected: admitted('/b') },
  { name: 'an escaped slash', request: { path: '/a%2Fb' }, rules: slashes('reject'), expected: refused(400) },
  {
    name: 'an escaped slash, written out',
    request: { path: '/a%2Fb' },
    rules: slashes('redirect'),
    expected: { kind: 'redirect', path: '/a/b' },
  },
  {
    name: 'a name with an underscore',
    request: { headers: underscored },
    rules: { underscores: 'reject' },
    expected: refused(400),
  },
  {
    name: 'a value with an underscore',
    request: { headers: new Headers(['a', 'b_c']) },
    rules: { underscores: 'reject' },
    expected: admitted(),
  },
  {
    name: 'a name with an underscore that is dropped later',
    request: { headers: underscored },
    rules: { underscores: 'drop' },
    expected: admitted(),
  },
  ...(
    [
      ['a.example:80', { stripPort: 'matching' }, 'a.example'],
      ['a.example:81', { stripPort: 'matching' }, 'a.example:81'],
      ['a.example:81', { stripPort: 'any' }, 'a.example'],
      ['a.example.', { stripTrailingDot: true }, 'a.example'],
      ['a.example.:80', { stripTrailingDot: true }, 'a.example:80'],
      ['a.example.:80', { stripTrailingDot: true, stripPort: 'any' }, 'a.example'],
      ['[::1]:80', { stripPort: 'any' }, '[::1]'],
    ] as const
  ).map(([authority, rules, expected]) => ({
    name: `${authority} under ${JSON.stringify(rules)}`,
    request: { authority },
    rules,
    expected: admitted('/', expected),
  })),
];

for (const { name, request, rules, expected } of cases)
  test(`${name}: ${expected.kind}`, () => {
    const whole = new Request({
      method: 'GET',
      path: '/',
      authority: 'a.example',
      scheme: 'http',
      upgrade: undefined,
      protocol: 'http/1.1',
      headers: new Headers(),
      ...request,
    });
    assert.deepEqual(admit(whole, { ...open, ...rules }, 80), expected);
  });
