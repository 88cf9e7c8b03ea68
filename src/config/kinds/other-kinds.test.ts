import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, type SpecCase } from '../findings-of.ts';
import type { Kind } from './table.ts';

const port = '{number: 80, name: http, protocol: HTTP}';
const tlsPort = '{number: 443, name: https, protocol: HTTPS}';
const server = (fields: string): string => `{servers: [{${fields}}]}`;

const cases: Readonly<Partial<Record<Kind, readonly SpecCase[]>>> = {
  Gateway: [
    { name: 'plain', spec: server(`port: ${port}, hosts: ["*"]`), expected: [] },
    { name: 'no servers', spec: '{}', expected: ['MT0121 servers'] },
    {
      name: 'short host',
      spec: server(`port: ${port}, hosts: [shop]`),
      expected: ['MT0109 servers[0].hosts[0]'],
    },
    {
      name: 'HTTPS without tls',
      spec: server(`port: ${tlsPort}, hosts: ["*"]`),
      expected: ['MT0117 servers[0].tls'],
    },
    {
      name: 'certificate without key',
      spec: server(`port: ${tlsPort}, hosts: ["*"], tls: {mode: SIMPLE, serverCertificate: /c}`),
      expected: ['MT0117 servers[0].tls.privateKey'],
    },
    {
      name: 'no version between minimum and maximum',
      spec: server(
        `port: ${tlsPort}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: c, maxProtocolVersion: TLSV1_1}`,
      ),
      expected: ['MT0117 servers[0].tls.maxProtocolVersion'],
    },
    {
      name: 'pins that are no digests',
      spec: server(
        `port: ${tlsPort}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: c, verifyCertificateSpki: [a], verifyCertificateHash: [b]}`,
      ),
      expected: [
        'MT0117 servers[0].tls.verifyCertificateSpki[0]',
        'MT0117 servers[0].tls.verifyCertificateHash[0]',
      ],
    },
    {
      name: 'secret',
      spec: server(`port: ${tlsPort}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: c}`),
      expected: [],
    },
    {
      name: 'redirect to HTTPS',
      spec: server(`port: ${port}, hosts: ["*"], tls: {httpsRedirect: true}`),
      expected: [],
    },
    {
      name: 'name',
      spec: server(`port: ${port}, hosts: ["*"]`),
      metadata: '{name: a.b}',
      expected: ['MT0009'],
    },
  ],
  ServiceEntry: [
    { name: 'plain', spec: `{hosts: [a.b], ports: [${port}], resolution: DNS}`, expected: [] },
    { name: 'no hosts', spec: '{}', expected: ['MT0103 hosts'] },
    {
      name: 'endpoints with NONE',
      spec: `{hosts: [a.b], ports: [${port}], endpoints: [{address: 10.0.0.1}]}`,
      expected: ['MT0108 endpoints'],
    },
    {
      name: 'a name with STATIC',
      spec: `{hosts: [a.b], ports: [${port}], resolution: STATIC, endpoints: [{address: b.c}]}`,
      expected: ['MT0119 endpoints[0].address'],
    },
    {
      name: 'a port the entry lacks',
      spec: `{hosts: [a.b], ports: [${port}], resolution: STATIC, endpoints: [{address: 10.0.0.1, ports: {tcp: 1}}]}`,
      expected: ['MT0109 endpoints[0].ports.tcp'],
    },
    {
      name: 'port given twice',
      spec: `{hosts: [a.b], ports: [${port}, ${port}], resolution: DNS}`,
      expected: ['MT0116 ports[1].name', 'MT0116 ports[1].number'],
    },
    {
      name: 'several hosts on a TCP port',
      spec: '{hosts: [a.b, c.d], addresses: [10.0.0.1], ports: [{number: 1, name: tcp, protocol: TCP}], resolution: STATIC}',
      expected: ['MT0118 ports[0].protocol'],
    },
    {
      name: 'several hosts on a port without protocol',
      spec: '{hosts: [a.b, c.d], ports: [{number: 1, name: a}], resolution: DNS}',
      expected: ['MT0118 ports[0].protocol'],
    },
    {
      name: 'several hosts on a TLS port',
      spec: '{hosts: [a.b, c.d], ports: [{number: 1, name: tls, protocol: TLS}], resolution: DNS}',
      expected: [],
    },
    {
      name: 'several hosts that are not looked up',
      spec: '{hosts: [a.b, c.d], addresses: [10.0.0.1], ports: [{number: 1, name: tcp, protocol: TCP}]}',
      expected: [],
    },
    {
      name: 'target port 0',
      spec: '{hosts: [a.b], ports: [{number: 80, name: http, protocol: HTTP, targetPort: 0}], resolution: DNS}',
      expected: [],
    },
    {
      name: 'exported to nobody',
      spec: `{hosts: [a.b], ports: [${port}], resolution: DNS, exportTo: ["~"]}`,
      expected: [],
    },
    {
      name: 'TCP without address',
      spec: '{hosts: [a.b], ports: [{number: 1, name: tcp, protocol: TCP}]}',
      expected: ['MT0157'],
    },
  ],
  WorkloadEntry: [
    { name: 'plain', spec: '{address: 10.0.0.1, ports: {http: 80}}', expected: [] },
    { name: 'nothing', spec: '{}', expected: ['MT0103 address'] },
    {
      name: 'socket with ports',
      spec: '{address: "unix:///a", ports: {http: 80}}',
      expected: ['MT0119 ports'],
    },
  ],
  WorkloadGroup: [
    {
      name: 'plain',
      spec: '{template: {serviceAccount: a}, probe: {httpGet: {port: 80}}}',
      expected: ['MT0401 probe'],
    },
    { name: 'no template', spec: '{}', expected: ['MT0103 template'] },
    {
      name: 'no method',
      spec: '{template: {}, probe: {periodSeconds: 1}}',
      expected: ['MT0401 probe', 'MT0132 probe'],
    },
  ],
  Sidecar: [
    { name: 'plain', spec: '{egress: [{hosts: ["./*", "istio-system/*"]}]}', expected: [] },
    { name: 'nothing', spec: '{}', expected: ['MT0121'] },
    {
      name: 'an upgrade of what comes in',
      spec: '{inboundConnectionPool: {http: {h2UpgradePolicy: UPGRADE}}}',
      expected: ['MT0401 inboundConnectionPool.http.h2UpgradePolicy'],
    },
    {
      name: 'host without namespace',
      spec: '{egress: [{hosts: ["a.b"]}]}',
      expected: ['MT0109 egress[0].hosts[0]'],
    },
    {
      name: 'catch-all first',
      spec: `{egress: [{hosts: ["./*"]}, {port: ${port}, hosts: ["./*"]}]}`,
      expected: ['MT0131 egress[0]'],
    },
    {
      name: 'one port on two addresses',
      spec: `{egress: [{port: ${port}, bind: 127.0.0.1, hosts: ["./*"]}, {port: ${port}, bind: 127.0.0.2, hosts: ["./*"]}]}`,
      expected: ['MT0116 egress[1].port'],
    },
    {
      name: 'one socket twice',
      spec: '{egress: [{port: {}, bind: "unix:///a", hosts: ["./*"]}, {port: {}, bind: "unix:///a", hosts: ["./*"]}]}',
      expected: ['MT0116 egress[1].bind'],
    },
    {
      name: 'a socket and a port',
      spec: `{egress: [{port: ${port}, bind: "unix:///a", hosts: ["./*"]}]}`,
      expected: ['MT0119 egress[0].bind'],
    },
    {
      name: 'port 0 without a socket',
      spec: '{egress: [{port: {number: 0}, bind: 127.0.0.1, hosts: ["./*"]}]}',
      expected: ['MT0105 egress[0].port.number'],
    },
    {
      name: 'a listener without port before others, bound or not',
      spec: `{egress: [{bind: "unix:///a", hosts: ["./*"]}, {port: ${port}, hosts: ["./*"]}]}`,
      expected: ['MT0131 egress[0]'],
    },
    {
      name: 'default endpoint by port alone',
      spec: `{ingress: [{port: ${port}, defaultEndpoint: ":80"}]}`,
      expected: [],
    },
    {
      name: 'ingress port twice',
      spec: `{ingress: [{port: ${port}}, {port: ${port}}]}`,
      expected: ['MT0116 ingress[1].port'],
    },
    {
      name: 'default endpoint',
      spec: `{ingress: [{port: ${port}, defaultEndpoint: "10.0.0.1:80"}]}`,
      expected: ['MT0119 ingress[0].defaultEndpoint'],
    },
    {
      name: 'a mode of MeshConfig',
      spec: '{outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS}}',
      expected: ['MT0104 outboundTrafficPolicy.mode'],
    },
  ],
  PeerAuthentication: [
    { name: 'plain', spec: '{mtls: {mode: STRICT}}', expected: [] },
    {
      name: 'ports without selector',
      spec: '{portLevelMtls: {80: {mode: STRICT}}}',
      expected: ['MT0108 portLevelMtls'],
    },
    {
      name: 'port',
      spec: '{selector: {matchLabels: {a: b}}, portLevelMtls: {0: {mode: STRICT}}}',
      expected: ['MT0105 portLevelMtls.0'],
    },
  ],
  ProxyConfig: [
    { name: 'negative', spec: '{concurrency: -1}', expected: ['MT0401', 'MT0105 concurrency'] },
    { name: 'selector without labels', spec: '{selector: {}}', expected: ['MT0401', 'MT0152 selector'] },
  ],
  Process: [
    {
      name: 'plain',
      spec: '{command: [node, a.js], ports: [{name: http, port: 80}], env: {A: b}}',
      expected: [],
    },
    { name: 'no command', spec: '{}', expected: ['MT0103 command'] },
    { name: 'port', spec: '{command: [a], ports: [{port: 70000}]}', expected: ['MT0105 ports[0].port'] },
  ],
};

for (const [kind, list] of Object.entries(cases)) {
  for (const item of list)
    test(`${kind}: ${item.name}`, () => assert.deepEqual(findingsOf(kind as Kind, item), item.expected));
}
