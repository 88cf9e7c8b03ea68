import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Headers } from '../http/headers.ts';
import type { ScannedHead } from './head-scanner.ts';
import { readTarget, type Target } from './request-target.ts';

interface Case {
  readonly line: string;
  readonly hosts?: readonly string[];
  readonly refusesHttps?: boolean;
  /** Path, authority and scheme, or the status to refuse with. */
  readonly expected: readonly [path: string, authority: string, scheme: string] | number;
}

const cases: readonly Case[] = [
  { line: 'GET /x?y', expected: ['/x?y', 'a.com', ''] },
  { line: 'OPTIONS *', expected: ['*', 'a.com', ''] },
  { line: 'CONNECT b.com:443', expected: ['', 'b.com:443', ''] },
  { line: 'GET http://b.com/x', expected: ['/x', 'b.com', 'http'] },
  { line: 'GET HTTPS://B.com:1/x', expected: ['/x', 'B.com:1', 'https'] },
  { line: 'GET https://b.com/x', refusesHttps: true, expected: 403 },
  { line: 'GET http://b.com', expected: ['/', 'b.com', 'http'] },
  { line: 'GET http://b.com?x', expected: ['?x', 'b.com', 'http'] },
  { line: 'GET http://user:secret@b.com/x', expected: ['/x', 'b.com', 'http'] },
  { line: 'GET http://a@b@c/x', expected: 400 },
  { line: 'GET http:///x', expected: 400 },
  { line: 'GET http://b.com/x#y', expected: 400 },
  { line: 'GET ftp://b.com/x', expected: 400 },
  { line: 'GET x', expected: 400 },
  { line: 'GET /', hosts: [], expected: 400 },
  { line: 'GET /', hosts: [''], expected: ['/', '', ''] },
  { line: 'GET /', hosts: ['a', 'b'], expected: ['/', 'a,b', ''] },
  ...[' ', '/', '"', '#', '?', '\\', '\xff', '\t', '<', '>', '^', '`', '{', '}', '|'].map((char) => ({
    line: 'GET /',
    hosts: [`a${char}b`],
    expected: 400,
  })),
  ...['@', ',', ':99x', '[::1', '%20', ';', "'", '(', '_', '~', '*'].map(
    (text): Case => ({
      line: 'GET /',
      hosts: [`a${text}b`],
      expected: ['/', `a${text}b`, ''],
    }),
  ),
];

for (const { line, hosts = ['a.com'], refusesHttps = false, expected } of cases)
  test(`${line}, host ${JSON.stringify(hosts)}`, () => {
    const [first = '', second = ''] = line.split(' ');
    const head: ScannedHead = {
      first,
      second,
      http10: false,
      headers: new Headers(hosts.flatMap((host) => ['host', host])),
    };
    const target = readTarget(head, refusesHttps);
    assert.deepEqual(typeof target === 'number' ? target : partsOf(target), expected);
  });

function partsOf({ path, authority, scheme }: Target): readonly string[] {
  return [path, authority, scheme];
}
