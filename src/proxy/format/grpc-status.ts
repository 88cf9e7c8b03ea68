// The gRPC status of a response: from its trailers, its head, or else what its HTTP status stands for.
import { grpcStatuses, grpcStatusOf } from '../../base/index.ts';
import type { FormatContext } from './format-context.ts';
import type { Operator } from './operator.ts';

/** Undefined for a style that there is not. */
export function grpcStatusOperator(style: string): Operator | undefined {
  if (style === 'NUMBER') return grpcStatus;
  if (style !== 'CAMEL_STRING' && style !== 'SNAKE_STRING') return undefined;
  return (context) => {
    const status = grpcStatus(context);
    if (status === undefined) return undefined;
    const snake = grpcStatuses[status];
    return style === 'SNAKE_STRING' ? (snake ?? String(status)) : camel(snake ?? String(status));
  };
}

/** Undefined for an exchange that is not of gRPC. */
export function grpcStatus({ request, response, trailers, responseCode }: FormatContext): number | undefined {
  if (request.get('content-type')?.startsWith('application/grpc') !== true) return undefined;
  const text = trailers?.get('grpc-status') ?? response?.get('grpc-status');
  if (text !== undefined) return Number(text);
  return responseCode === undefined || responseCode === 200 ? undefined : grpcStatusOf(responseCode);
}

function camel(name: string): string {
  if (name === 'OK') return name;
  // Envoy's own spelling.
  if (name === 'CANCELLED') return 'Canceled';
  return name
    .split('_')
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join('');
}
