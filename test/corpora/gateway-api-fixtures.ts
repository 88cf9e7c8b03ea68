// What the reference's own tests of Gateway API put beside every input: services, certificates, namespaces.
import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export interface Fixtures {
  readonly domain: string;
  readonly services: readonly {
    readonly hostname: string;
    readonly namespace: string;
    readonly name?: string;
    readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  }[];
  readonly objects: readonly {
    readonly kind: 'Secret' | 'ConfigMap';
    readonly name: string;
    readonly namespace: string;
    readonly data: Readonly<Record<string, string>>;
  }[];
}

export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

export async function selfSigned(): Promise<CertificatePair> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=test',
    keys,
    signingAlgorithm: algorithm,
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    certificate: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  };
}

/** As YAML documents. */
export function fixtureDocuments(
  fixtures: Fixtures,
  pair: CertificatePair,
  namespaces: readonly string[],
): string {
  const objects = [
    ...fixtures.services.flatMap((service) => serviceObjects(service, fixtures.domain)),
    ...fixtures.objects.map((object) => dataObject(object, pair)),
    ...namespaces.map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'istio.io/test-name-part': name.split('-', 1)[0] } },
    })),
  ];
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}

function serviceObjects(
  { hostname, namespace, ports }: Fixtures['services'][number],
  domain: string,
): readonly unknown[] {
  const target = (index: number): number => (index === 0 ? 8080 : 0);
  if (!hostname.endsWith(`.svc.${domain}`))
    return [
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'ServiceEntry',
        metadata: { name: `given-${hostname}`, namespace },
        spec: {
          hosts: [hostname],
          resolution: 'STATIC',
          ports: ports.map(({ name, port, protocol }) => ({ name, number: port, protocol })),
          endpoints: [{ address: '10.0.0.1' }],
        },
      },
    ];
  const [name = ''] = hostname.split('.');
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: {
        clusterIP: '10.96.0.1',
        ports: ports.map(({ name: port, port: number }) => ({ name: port, port: number })),
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: ports.map((port, index) => ({ name: port.name, port: target(index) })),
      endpoints: [{ addresses: ['10.0.0.1'] }],
    },
  ];
}

function dataObject(
  { kind, name, namespace, data }: Fixtures['objects'][number],
  pair: CertificatePair,
): unknown {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const values = Object.entries(data).map(([key, value]) => {
    const text = { '@cert': pair.certificate, '@key': pair.key }[value];
    if (text === undefined) return [key, value];
    return [key, kind === 'Secret' ? base64(text) : text];
  });
  return { apiVersion: 'v1', kind, metadata: { name, namespace }, data: Object.fromEntries(values) };
}
