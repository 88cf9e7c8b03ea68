// Ranges of addresses, with the bits beyond the prefix cleared: two spellings of one range are one claim.
import { create } from '@bufbuild/protobuf';
import { type CidrRange, CidrRangeSchema } from '@meltemi/envoy-api/envoy/config/core/v3/address';
import ipaddr from 'ipaddr.js';

/** `10.0.0.0/8`, or one address. */
export function cidrRange(text: string): CidrRange {
  const [address = '', length] = text.split('/');
  const whole = address.includes(':') ? 128 : 32;
  return create(CidrRangeSchema, {
    addressPrefix: address,
    prefixLen: length === undefined ? whole : Number(length),
  });
}

/** Undefined when the text is no range. */
export function normalRange(text: string): string | undefined {
  if (!ipaddr.isValidCIDR(text)) return undefined;
  const [address, length] = ipaddr.parseCIDR(text);
  const network =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(text)
      : ipaddr.IPv6.networkAddressFromCIDR(text);
  return `${network.toString()}/${length}`;
}

/** One spelling for each range; a single address is a range too. */
export function singleRange(text: string): string {
  return normalRange(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`) ?? text;
}
