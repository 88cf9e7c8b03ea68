import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { CertificateAuthority, parseSpiffeId, spiffeId, WorkloadCertificates } from './index.ts';

const identity = spiffeId({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' });
const now = (): Date => new Date();

test('identities read back', () => {
  assert.equal(identity, 'spiffe://cluster.local/ns/shop/sa/cart');
  assert.deepEqual(parseSpiffeId(identity), {
    trustDomain: 'cluster.local',
    namespace: 'shop',
    serviceAccount: 'cart',
  });
  for (const text of ['', 'spiffe://a', 'https://a/ns/b/sa/c', 'spiffe://a/ns/b/sa/c/d'])
    assert.equal(parseSpiffeId(text), undefined);
});

test('a certificate carries the identity and is signed by the root', async () => {
  const authority = await CertificateAuthority.create({ now });
  const pair = await authority.issue(identity);
  const leaf = new X509Certificate(pair.certificateChain);
  const root = new X509Certificate(authority.rootCertificate);
  assert.equal(leaf.subjectAltName, `URI:${identity}`);
  assert.ok(leaf.verify(root.publicKey));
  assert.ok(root.ca && !leaf.ca);
  assert.equal(`${pair.privateKey} ${JSON.stringify(pair)}`.includes('PRIVATE'), false);
});

test('both ends authenticate each other with issued certificates', async (t) => {
  const authority = await CertificateAuthority.create({ now });
  const [server, client] = await Promise.all([authority.issue(identity), authority.issue(identity)]);
  const listener = createServer(
    {
      cert: server.certificateChain,
      key: server.privateKey.reveal(),
      ca: authority.rootCertificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (socket) => socket.end(String(socket.getPeerCertificate().subjectaltname)),
  );
  t.after(() => listener.close());
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const socket: TLSSocket = connect({
    port: (listener.address() as AddressInfo).port,
    host: '127.0.0.1',
    cert: client.certificateChain,
    key: client.privateKey.reveal(),
    ca: authority.rootCertificate,
    checkServerIdentity: () => undefined,
  });
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  assert.equal(String(bytes), `URI:${identity}`);
});

test('certificates are renewed at half of their life, once for all who follow', async () => {
  let clock = Date.now();
  const due: { at: number; run: () => void }[] = [];
  const authority = await CertificateAuthority.create({
    now: () => new Date(clock),
    leafLifetimeMs: 100_000,
  });
  const certificates = new WorkloadCertificates(authority, {
    now: () => clock,
    schedule: (delay, run) => {
      const entry = { at: clock + delay, run };
      due.push(entry);
      return () => void due.splice(due.indexOf(entry), 1);
    },
  });
  const seen: string[] = [];
  const received = (): Promise<void> =>
    new Promise(
      (resolve) =>
        void certificates.follow(identity, (pair) => resolve(void seen.push(pair.certificateChain))),
    );
  await Promise.all([received(), received()]);
  assert.equal(seen[0], seen[1]);
  const next = new Promise<string>((resolve) => {
    certificates.follow(identity, ({ certificateChain }) => {
      if (certificateChain !== seen[0]) resolve(certificateChain);
    });
  });
  const renewal = due.shift();
  assert.ok(renewal && Math.abs(renewal.at - clock - 50_000) < 2000);
  clock = renewal.at;
  renewal.run();
  assert.notEqual(await next, seen[0]);
});
