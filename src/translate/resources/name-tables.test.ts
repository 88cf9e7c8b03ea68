// What Istio's agent is told of the names of the mesh.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary, toJson } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { NameTableSchema } from '@meltemi/envoy-api/istio/networking/nds/v1/nds';
import type { ProxyNode } from '../../mesh/index.ts';
import { meshOfText, testClient } from '../testdata-mesh.ts';

const mesh = `
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {clusterIP: 10.96.0.7, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: peers, namespace: shop}
spec: {clusterIP: None, ports: [{name: tcp, port: 7000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: peers-1, namespace: shop, labels: {kubernetes.io/service-name: peers}}
addressType: IPv4
ports: [{name: tcp, port: 7000}]
endpoints: [{addresses: [10.1.0.9]}, {addresses: [10.1.0.8]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank}
spec: {hosts: [bank.example.com], addresses: [10.97.0.1], ports: [{number: 443, name: tls, protocol: TLS}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: nowhere}
spec: {hosts: [nowhere.example.com], ports: [{number: 80, name: http, protocol: HTTP}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: narrow}
spec: {egress: [{hosts: ["default/*"]}]}
`;

const entry = (ips: readonly string[], shortname?: string): unknown =>
  shortname ? { ips, registry: 'Kubernetes', shortname, namespace: 'shop' } : { ips, registry: 'External' };

function tableOf(client: Partial<ProxyNode>): unknown {
  const { translator } = meshOfText(mesh);
  const view = translator.viewOf({ ...testClient, ...client });
  const [name] = translator.names('nameTable', view).get();
  const resource = name && translator.resource('nameTable', view, name).get();
  if (!resource) return undefined;
  return toJson(NameTableSchema, fromBinary(NameTableSchema, fromBinary(AnySchema, resource.any).value));
}

test('every service with an address, by its full name', () => {
  assert.deepEqual(tableOf({}), {
    table: {
      'cart.shop.svc.cluster.local': entry(['10.96.0.7'], 'cart'),
      'peers.shop.svc.cluster.local': entry(['10.1.0.8', '10.1.0.9'], 'peers'),
      'bank.example.com': entry(['10.97.0.1']),
    },
  });
});

test('only what the client reaches', () => {
  assert.deepEqual(tableOf({ namespace: 'narrow' }), { table: { 'bank.example.com': entry(['10.97.0.1']) } });
});

test('gateways are asked for no names', () => {
  assert.equal(tableOf({ type: 'router' }), undefined);
});
