// Options of TCP sockets that a cluster or listener asks for.
import { fromBinary, type UnknownField } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { type TcpKeepalive, TcpKeepaliveSchema } from '@meltemi/envoy-api/envoy/config/core/v3/address';
import type { SocketOption } from '@meltemi/envoy-api/envoy/config/core/v3/socket_option';

export interface OptionPlan {
  readonly level: number;
  readonly name: number;
  readonly value: number | Uint8Array;
}

/** Seconds; what is left out is the system's. */
export interface TcpKeepAlivePlan {
  readonly probes: number | undefined;
  readonly time: number | undefined;
  readonly interval: number | undefined;
}

export interface SocketOptionsPlan {
  readonly keepAlive: TcpKeepAlivePlan | undefined;
  /** Set after the others, in their order. */
  readonly byNumber: readonly OptionPlan[];
}

export function planSocketOptions(
  keepAlive: TcpKeepalive | undefined,
  byNumber: readonly SocketOption[],
  problems: string[],
): SocketOptionsPlan | undefined {
  if (!keepAlive && byNumber.length === 0) return undefined;
  return {
    keepAlive: keepAlive && {
      probes: keepAlive.keepaliveProbes,
      time: keepAlive.keepaliveTime,
      interval: keepAlive.keepaliveInterval,
    },
    byNumber: byNumber.flatMap((one) => planOption(one, problems) ?? []),
  };
}

// The field is newer than the .proto tree that the messages are generated from.
const listenerKeepAliveField = 37;

/** `tcp_keepalive` of a listener. */
export function listenerKeepAlive(unknown: readonly UnknownField[] | undefined): TcpKeepalive | undefined {
  const field = unknown?.find(({ no }) => no === listenerKeepAliveField);
  return field && fromBinary(TcpKeepaliveSchema, new BinaryReader(field.data).bytes());
}

function planOption({ level, name, value }: SocketOption, problems: string[]): OptionPlan | undefined {
  const place = { level: Number(level), name: Number(name) };
  switch (value.case) {
    case 'intValue':
      return { ...place, value: Number(BigInt.asIntN(32, value.value)) };
    case 'bufValue':
      return { ...place, value: new Uint8Array(value.value) };
    default:
      problems.push(`socket option ${name} has no value`);
      return undefined;
  }
}
