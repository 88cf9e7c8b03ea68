import { create } from '@bufbuild/protobuf';
import { type CidrRange, CidrRangeSchema } from '@meltemi/envoy-api/envoy/config/core/v3/address';

/** `10.0.0.0/8`, or one address. */
export function cidrRange(text: string): CidrRange {
  const [address = '', length] = text.split('/');
  return create(CidrRangeSchema, {
    addressPrefix: address,
    prefixLen: length === undefined ? (address.includes(':') ? 128 : 32) : Number(length),
  });
}
