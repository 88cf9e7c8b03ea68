// An ADS server that serves one recorded set of resources, to run a proxy on exactly what another control plane sent it.
// node recorded-ads.ts RECORDED.json LISTEN
import { readFileSync } from 'node:fs';
import { create, type DescMessage, fromBinary, fromJson, toBinary } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { ClusterLoadAssignmentSchema } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import { ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { RouteConfigurationSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { DiscoveryRequestSchema, DiscoveryResponseSchema } from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import { knownTypes } from '../../src/proxy/index.ts';

const [file = '', listen = '127.0.0.1:15010'] = process.argv.slice(2);
const recorded = JSON.parse(readFileSync(file, 'utf8'));

// The recording holds the health that Envoy had at the end of the case: what outlier detection ejected is not the control plane's word.
const watched = new Set((recorded.clusters ?? []).filter((one: { outlier_detection?: unknown }) => one.outlier_detection).map((one: { name: string }) => one.name));
for (const one of recorded.endpoints ?? [])
  if (watched.has(one.cluster_name)) for (const group of one.endpoints ?? []) for (const endpoint of group.lb_endpoints ?? []) endpoint.health_status = 'HEALTHY';

const served = new Map<string, { name: string; any: Any }[]>();
function load(schema: DescMessage, list: unknown[], nameField: string): void {
  const resources = list.map((json) => {
    const message = fromJson(schema, json as never, { registry: knownTypes, ignoreUnknownFields: true });
    return { name: String((message as unknown as Record<string, unknown>)[nameField]), any: anyPack(schema, message) };
  });
  served.set(`type.googleapis.com/${schema.typeName}`, resources);
}
load(ListenerSchema, recorded.listeners ?? [], 'name');
load(ClusterSchema, recorded.clusters ?? [], 'name');
load(RouteConfigurationSchema, recorded.routes ?? [], 'name');
load(ClusterLoadAssignmentSchema, recorded.endpoints ?? [], 'clusterName');

const asBytes = (bytes: Buffer): Buffer => bytes;
const server = new Server();
server.addService(
  {
    stream: {
      path: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
      requestStream: true,
      responseStream: true,
      requestSerialize: asBytes,
      requestDeserialize: asBytes,
      responseSerialize: asBytes,
      responseDeserialize: asBytes,
    },
  },
  {
    stream: (call: ServerDuplexStream<Buffer, Buffer>) => {
      const asked = new Map<string, string>();
      let nonce = 0;
      call.on('error', () => undefined);
      call.on('end', () => call.end());
      call.on('data', (bytes: Buffer) => {
        const request = fromBinary(DiscoveryRequestSchema, bytes);
        if (request.errorDetail) process.stderr.write(`NACK ${request.typeUrl}: ${request.errorDetail.message}\n`);
        const names = request.resourceNames.join('\n');
        if (request.responseNonce !== '' && asked.get(request.typeUrl) === names) return;
        asked.set(request.typeUrl, names);
        const wanted = new Set(request.resourceNames);
        const resources = (served.get(request.typeUrl) ?? []).filter((one) => wanted.size === 0 || wanted.has(one.name)).map((one) => one.any);
        const response = create(DiscoveryResponseSchema, { versionInfo: '1', typeUrl: request.typeUrl, nonce: String(++nonce), resources });
        call.write(Buffer.from(toBinary(DiscoveryResponseSchema, response)));
      });
    },
  },
);
server.bindAsync(listen, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  process.stdout.write('{"ready":true}\n');
});
