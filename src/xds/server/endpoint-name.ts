// Under which name a client will ask for the endpoints of a cluster, read from the cluster's bytes.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { ServedResource } from './feed.ts';

const anyValue = 2;
const cluster = { name: 1, type: 2, edsClusterConfig: 3 } as const;
const edsServiceName = 2;
const edsType = 3;

const known = new WeakMap<ServedResource, { readonly name: string | undefined }>();

/** Undefined for a cluster that finds its endpoints by other means. */
export function endpointNameOf(resource: ServedResource): string | undefined {
  let found = known.get(resource);
  if (!found) {
    found = { name: read(resource.any) };
    known.set(resource, found);
  }
  return found.name;
}

function read(any: Uint8Array): string | undefined {
  let name = '';
  let serviceName = '';
  let byEds = false;
  eachField(any, (field, reader) => {
    if (field !== anyValue) return false;
    eachField(reader.bytes(), (inner, value) => {
      if (inner === cluster.name) name = value.string();
      else if (inner === cluster.type) byEds = value.int32() === edsType;
      else if (inner === cluster.edsClusterConfig) serviceName = serviceNameOf(value.bytes());
      else return false;
      return true;
    });
    return true;
  });
  return byEds ? serviceName || name : undefined;
}

function serviceNameOf(config: Uint8Array): string {
  let name = '';
  eachField(config, (field, reader) => {
    if (field !== edsServiceName) return false;
    name = reader.string();
    return true;
  });
  return name;
}

/** Calls back for each field; false passes it over. */
function eachField(bytes: Uint8Array, take: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (!take(field, reader)) reader.skip(wireType, field);
  }
}
