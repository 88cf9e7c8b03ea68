// A client of xDS over a real stream, for tests: it never reconnects in haste and needs no proxy behind it.
import { create, type JsonObject } from '@bufbuild/protobuf';
import { NodeSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { discoveryMethods, grpcStreams, SotwClient } from '../../xds/index.ts';

export interface TestClientParts {
  readonly address: string;
  readonly service?: keyof typeof discoveryMethods;
  readonly id: string;
  readonly metadata: JsonObject;
}

export function testClient({ address, service = 'aggregated', id, metadata }: TestClientParts): SotwClient {
  return new SotwClient({
    open: grpcStreams({ address }, discoveryMethods[service]),
    node: create(NodeSchema, { id, metadata }),
    timers: { after, random: () => 0 },
  });
}

function after(ms: number, run: () => void): { cancel(): void } {
  const timer = setTimeout(run, ms);
  return { cancel: () => clearTimeout(timer) };
}
