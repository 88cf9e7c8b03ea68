// Paths written in confusing ways, beside Envoy: the same decision, and the same path at the upstream.
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { type Json, routeTo } from './bootstrap.ts';
import { unexplained } from './explained.ts';
import { H2Client, outcome } from './h2-client.ts';
import { endHeaders, endStream, frame, frameType, requestBlock } from './h2-frames.ts';
import { send, statuses } from './raw-client.ts';
import { compare, type Lane } from './side-by-side.ts';

const dots =
  '/admin //admin /./admin /x/../admin /x/..//admin /x/%2e%2e/admin /x/%2E%2e/admin /x/.%2e/admin /%2e/admin /.. /../admin /../../admin /a/.. /a/../ /a/. /a/..b /a/... /... ' +
  '/a//b//../c /admin/../x /admin/.. /admin/%2e%2e/x /admin/..%2fx /./ /. /.admin /admin. /admin/. /a/%2e /a/%2e%2E /%2e%2e%2fadmin /a/b/../..//admin /a/b/../../../admin /?/../admin /x?/../admin';
const parameters =
  '/;/admin /x;/../admin /admin;x /x/..;/admin /x/..;a=b/admin /x/..;a=b;c/admin /x/.;/admin /x/.;a/admin /x/%2e%2e;/admin /x/..%3b/admin /x/..%3B/../admin /a;x=1/b /a/;/b /a/..; /a/..;x /a/.; /a/.;x ' +
  '/x/...;/admin /x/..;/..;/admin /x;a/..;b/admin /;..;/admin /x/..;x/y?z /x/;..;/admin /x/..;\\admin /x/..\\;/admin /x/..;%2fadmin /%3b/x /..;/admin /..; /x/.;/..;/admin /x/..;/ /x/ab..;/admin ' +
  '/admin/..;/x /a/%2E;/b /a/.%2e;p/b /a?b=/../c;..;/d';
const characters =
  '/a"b /a<b> /a`b /a{b} /a|b /a^b /a[b] /a\'b /a~b /a!$&()*+,=@:b /a?"<>`{}|^ /a?\\ /a%zz" /\xe9 /\xc3\xa9 /\xff/../admin /a?\xe9 /a\x7fb /%c3%a9 /%C3%A9 /* /a:b /a@b /a+b';
const escapes =
  '/%61dmin /%41dmin /ADMIN /admin%2F /x%2f..%2fadmin /x/..%2fadmin /x%5c..%5cadmin /\\admin /x\\..\\admin \\admin /x/..\\admin /admin#x /x#/../admin /x%23/../admin /%00/admin /admin%00 /x?%00 /admin?x ' +
  '/adm%zzin /adm%in /% /%2 /a%20b /a%7eb /a%7Eb /a%2Db /a%5fb /a%2eb /a%3bb /a%3fb /a%25b /a%252e%252e/admin /x/%09/admin /x/%0d%0a/admin /%61%64%6d%69%6e /%u0061dmin /a%C0%AE%C0%AE/admin ' +
  '/x/%C0%AF../admin /a%40b /a%2Bb /a%21 /a%2A /a%28 /a%27 /a%2C /a%3D /a%26 /a%24';

const rows = `${dots} ${parameters} ${characters} ${escapes}`.split(' ').map((name) => ({ name }));

const denied = { match: { prefix: '/admin' }, direct_response: { status: 403 } };
const accented = { match: { path: '/%C3%A9' }, direct_response: { status: 418 } };

const managers: Readonly<Record<string, Json>> = {
  normalised: {},
  'not normalised': { normalize_path: false },
  'with slashes merged': { merge_slashes: true },
  'with escaped slashes undone': {
    merge_slashes: true,
    path_with_escaped_slashes_action: 'UNESCAPE_AND_FORWARD',
  },
  'with escaped slashes redirected': { path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT' },
  'with escaped slashes refused': { path_with_escaped_slashes_action: 'REJECT_REQUEST' },
};

describe('paths', { skip: reasonToSkipWithoutEnvoy() }, () => {
  for (const [name, manager] of Object.entries(managers)) {
    const listener = (cluster: string): { manager: Json; routes: readonly Json[] } => ({
      manager,
      routes: [denied, accented, routeTo(cluster)],
    });
    test(name, async () => {
      const outcomes = await compare(rows, { listener }, overHttp1);
      assert.deepEqual(unexplained(outcomes, {}), []);
    });
    if (!('normalize_path' in manager) && name !== 'normalised') continue;
    test(`${name}, over HTTP/2`, async () => {
      const outcomes = await compare(rows, { listener }, overHttp2);
      assert.deepEqual(unexplained(outcomes, {}), []);
    });
  }
});

interface Outcome {
  readonly answer: string;
  readonly path: string | undefined;
}

async function overHttp1(lane: Lane, { name }: { readonly name: string }): Promise<Outcome> {
  const answer = await send(lane.port, `GET ${name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  const location = /^location: (.*?)\r$/m.exec(answer.text)?.[1] ?? '';
  return { answer: `${statuses(answer.text).join()} ${location}`, path: received(lane) };
}

async function overHttp2(lane: Lane, { name }: { readonly name: string }): Promise<Outcome> {
  const client = await H2Client.open(lane.port);
  client.send(frame(frameType.headers, endHeaders | endStream, 1, requestBlock({ path: name })));
  await client.until(() => outcome(client) !== 'nothing', 1500);
  const answer = outcome(client);
  client.close();
  return { answer: /^\d+$/.test(answer) ? answer : 'refused', path: received(lane) };
}

function received(lane: Lane): string | undefined {
  return /^GET (.*?) HTTP/.exec(lane.upstream.take().join(''))?.[1];
}
