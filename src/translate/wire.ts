// Small parts of Envoy messages that many resources share.
import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { type Any, AnySchema, type Duration, DurationSchema } from '@bufbuild/protobuf/wkt';
import { type Address, AddressSchema } from '@meltemi/envoy-api/envoy/config/core/v3/address';
import { type Metadata, MetadataSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from '@meltemi/envoy-api/envoy/config/core/v3/config_source';
import {
  type FractionalPercent,
  FractionalPercent_DenominatorType,
  FractionalPercentSchema,
} from '@meltemi/envoy-api/envoy/type/v3/percent';

/** What `create` takes for a message: its fields, none of them required. */
export type Init<D extends DescMessage> = Extract<MessageInitShape<D>, { readonly $typeName?: undefined }>;

export function any<D extends DescMessage>(schema: D, init: MessageInitShape<D>): Any {
  return packed(schema, create(schema, init));
}

export function packed<D extends DescMessage>(schema: D, message: MessageShape<D>): Any {
  return create(AnySchema, {
    typeUrl: `type.googleapis.com/${schema.typeName}`,
    value: toBinary(schema, message),
  });
}

export function duration(ms: number): Duration {
  const seconds = Math.trunc(ms / 1000);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) });
}

export function socketAddress(address: string, port: number): Address {
  return create(AddressSchema, {
    address: { case: 'socketAddress', value: { address, portSpecifier: { case: 'portValue', value: port } } },
  });
}

export function pipeAddress(path: string): Address {
  return create(AddressSchema, { address: { case: 'pipe', value: { path } } });
}

/** "From the stream that this came by", waited for without limit. */
export const fromAds: ConfigSource = create(ConfigSourceSchema, {
  configSourceSpecifier: { case: 'ads', value: {} },
  initialFetchTimeout: duration(0),
  resourceApiVersion: ApiVersion.V3,
});

/** 0..100 in millionths; what is beyond counts as the nearer end. */
export function fractionalPercent(percent: number): FractionalPercent {
  return create(FractionalPercentSchema, {
    numerator: Math.round(Math.min(Math.max(percent, 0), 100) * 10_000),
    denominator: FractionalPercent_DenominatorType.MILLION,
  });
}

export function istioMetadata(
  config: string | undefined,
  more: Readonly<Record<string, string>> = {},
): Metadata | undefined {
  const fields = { ...more, ...(config ? { config } : {}) };
  return Object.keys(fields).length === 0
    ? undefined
    : create(MetadataSchema, { filterMetadata: { istio: fields } });
}
