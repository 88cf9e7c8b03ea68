// Opens discovery streams over gRPC, moving messages as bytes.
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  credentials,
  type ServiceError,
} from '@grpc/grpc-js';
import type { OpenStream } from './sotw-client.ts';

export interface GrpcTarget {
  /** `host:port` or `unix:path`. */
  readonly address: string;
  /** Absent for plaintext. */
  readonly tls?: {
    readonly ca?: Buffer | undefined;
    readonly key?: Buffer | undefined;
    readonly cert?: Buffer | undefined;
    readonly serverName?: string | undefined;
  };
}

export const discoveryMethods = {
  aggregated: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
  secrets: '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets',
} as const;

const asBytes = (message: Buffer): Buffer => message;

/**
 * Each opened stream has a channel of its own, so that a reconnection never waits for the channel's own
 * backoff.
 */
export function grpcStreams(target: GrpcTarget, method: string): OpenStream {
  return (events) => {
    const client = new Client(target.address, credentialsOf(target), {
      'grpc.max_receive_message_length': -1,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      ...(target.tls?.serverName
        ? {
            'grpc.ssl_target_name_override': target.tls.serverName,
            'grpc.default_authority': target.tls.serverName,
          }
        : {}),
    });
    const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(method, asBytes, asBytes);
    let over = false;
    const close = (detail: string): void => {
      if (over) return;
      over = true;
      client.close();
      events.onClosed(detail);
    };
    call.on('data', (message: Buffer) => events.onMessage(message));
    call.on('error', (error: ServiceError) => close(error.details || error.message));
    call.on('end', () => close('ended by the server'));
    return {
      send: (message) =>
        void (over || call.write(Buffer.from(message.buffer, message.byteOffset, message.byteLength))),
      end: () => {
        if (over) return;
        over = true;
        call.cancel();
        client.close();
      },
    };
  };
}

function credentialsOf(target: GrpcTarget): ChannelCredentials {
  if (!target.tls) return credentials.createInsecure();
  return credentials.createSsl(target.tls.ca ?? null, target.tls.key ?? null, target.tls.cert ?? null);
}
