// A proxy as the pilot sees it: subscribes in Envoy's order and accepts everything, without decoding what it
// is sent more than it must.
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { Cluster_DiscoveryType, ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import { type ResourceTypeName, typeOfUrl, typeUrlOf } from '../../src/xds/index.ts';
import { ChunkReader } from './chunk-reader.ts';
import { routeName } from './configuration.ts';
import type { Mode } from './messages.ts';

const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/';
const methods: Readonly<Record<Mode, string>> = {
  sotw: 'StreamAggregatedResources',
  delta: 'DeltaAggregatedResources',
};
/** As wide as Envoy's, so that the window is not what is measured. */
const windowBytes = 2 ** 28 - 1;
const frameHead = 5;

/** What all proxies of a fleet learn alike, and so only the first decodes. */
export interface Shared {
  endpointNames?: readonly string[];
  /** State of the world: an encoded request for all endpoints, without the nonce. */
  endpointRequest?: Uint8Array;
}

export interface ClientOptions {
  readonly address: string;
  readonly mode: Mode;
  readonly index: number;
  readonly shared: Shared;
  readonly onMessage: (bytes: number) => void;
  readonly onComplete: () => void;
}

export class AdsClient {
  readonly #options: ClientOptions;
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #asked = new Set<ResourceTypeName>();
  readonly #received = new ChunkReader();
  /** Length of the message that is coming. */
  #awaited: number | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#session = connect(`http://${options.address}`, { settings: { initialWindowSize: windowBytes } });
    this.#session.once('connect', () => this.#session.setLocalWindowSize(windowBytes));
    this.#session.on('error', fail);
    this.#stream = this.#session.request({
      ':method': 'POST',
      ':path': `${path}${methods[options.mode]}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    this.#stream.on('error', fail);
    this.#stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#ask('cluster', '');
  }

  close(): void {
    this.#session.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received.add(chunk);
    while (true) {
      if (this.#awaited === undefined) {
        if (this.#received.size < frameHead) return;
        this.#awaited = this.#received.take(frameHead).readUInt32BE(1);
      }
      if (this.#received.size < this.#awaited) return;
      const length = this.#awaited;
      this.#awaited = undefined;
      this.#handle(length);
    }
  }

  #handle(length: number): void {
    const isWhole = this.#options.shared.endpointNames === undefined;
    const { type, nonce } = isWhole ? this.#first(length) : headOf(this.#received, length);
    this.#options.onMessage(length + frameHead);
    this.#ask(type, nonce);
    // As Envoy: endpoints once the clusters are there, listeners after them, routes after the listeners.
    if (type === 'cluster') this.#askOnce('endpoint');
    if (type === 'endpoint') this.#askOnce('listener');
    if (type === 'listener') this.#askOnce('route');
    if (type === 'route') this.#options.onComplete();
  }

  /** The clusters that the first of a fleet is sent say which endpoints all of them ask for. */
  #first(length: number): Head {
    const message = this.#received.take(length);
    const reader = new ChunkReader();
    reader.add(message);
    this.#options.shared.endpointNames = endpointNamesOf(message, this.#options.mode);
    return headOf(reader, length);
  }

  #askOnce(type: ResourceTypeName): void {
    if (!this.#asked.has(type)) this.#ask(type, '');
  }

  #ask(type: ResourceTypeName, nonce: string): void {
    const first = !this.#asked.has(type);
    this.#asked.add(type);
    this.#write(
      this.#options.mode === 'sotw'
        ? this.#fullRequest(type, nonce, first)
        : this.#deltaRequest(type, nonce, first),
    );
  }

  #fullRequest(type: ResourceTypeName, nonce: string, first: boolean): Uint8Array {
    const { shared } = this.#options;
    if (type !== 'endpoint' || first) {
      const names = this.#namesOf(type);
      const request = create(DiscoveryRequestSchema, {
        typeUrl: typeUrlOf(type),
        resourceNames: [...names],
        responseNonce: nonce,
      });
      return toBinary(DiscoveryRequestSchema, this.#withNode(request, type));
    }
    shared.endpointRequest ??= toBinary(
      DiscoveryRequestSchema,
      create(DiscoveryRequestSchema, { typeUrl: typeUrlOf(type), resourceNames: [...this.#namesOf(type)] }),
    );
    const nonceField = 5;
    return Buffer.concat([
      shared.endpointRequest,
      new BinaryWriter().tag(nonceField, WireType.LengthDelimited).string(nonce).finish(),
    ]);
  }

  #deltaRequest(type: ResourceTypeName, nonce: string, first: boolean): Uint8Array {
    const request = create(DeltaDiscoveryRequestSchema, {
      typeUrl: typeUrlOf(type),
      resourceNamesSubscribe: first ? [...this.#namesOf(type)] : [],
      responseNonce: nonce,
    });
    return toBinary(DeltaDiscoveryRequestSchema, this.#withNode(request, type));
  }

  #withNode<R extends { node?: unknown }>(request: R, type: ResourceTypeName): R {
    const { index } = this.#options;
    const id = `sidecar~172.16.${index >> 8}.${index & 255}~proxy-${index}.default~default.svc.cluster.local`;
    if (type === 'cluster')
      Object.assign(request, {
        node: create(DiscoveryRequestSchema, { node: { id, metadata: { NAMESPACE: 'default' } } }).node,
      });
    return request;
  }

  #namesOf(type: ResourceTypeName): readonly string[] {
    if (type === 'endpoint') return this.#options.shared.endpointNames ?? [];
    return type === 'route' ? [routeName] : [];
  }

  #write(message: Uint8Array): void {
    const head = Buffer.alloc(frameHead);
    head.writeUInt32BE(message.length, 1);
    this.#stream.write(Buffer.concat([head, message]));
  }
}

interface Head {
  readonly type: ResourceTypeName;
  readonly nonce: string;
}

/** Type and nonce are the same fields in both protocols. Reads the whole message away. */
function headOf(reader: ChunkReader, length: number): Head {
  const end = reader.size - length;
  let url = '';
  let nonce = '';
  while (reader.size > end) {
    const tag = reader.varint();
    if ((tag & 7) !== WireType.LengthDelimited) throw new Error(`a field of wire type ${tag & 7}`);
    const size = reader.varint();
    const field = tag >> 3;
    if (field === 4) url = reader.take(size).toString();
    else if (field === 5) nonce = reader.take(size).toString();
    else reader.skip(size);
  }
  const type = typeOfUrl(url);
  if (!type) throw new Error(`a response of type ${url}`);
  return { type, nonce };
}

function endpointNamesOf(message: Uint8Array, mode: Mode): readonly string[] {
  const resources =
    mode === 'sotw'
      ? fromBinary(DiscoveryResponseSchema, message).resources
      : fromBinary(DeltaDiscoveryResponseSchema, message).resources.flatMap(
          (wrapped) => wrapped.resource ?? [],
        );
  return resources
    .map((any) => fromBinary(ClusterSchema, any.value))
    .filter(
      ({ clusterDiscoveryType }) =>
        clusterDiscoveryType.case === 'type' && clusterDiscoveryType.value === Cluster_DiscoveryType.EDS,
    )
    .map((cluster) => cluster.edsClusterConfig?.serviceName || cluster.name);
}

function fail(error: Error): never {
  throw error;
}
