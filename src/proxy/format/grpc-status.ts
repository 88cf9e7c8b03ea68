// The gRPC status of a response: from its trailers, its head, or else what its HTTP status stands for.
import type { FormatContext } from './format-context.ts';
import type { Operator } from './operator.ts';

/** Undefined for a style that there is not. */
export function grpcStatusOperator(style: string): Operator | undefined {
  if (style === 'NUMBER') return grpcStatus;
  if (style !== 'CAMEL_STRING' && style !== 'SNAKE_STRING') return undefined;
  return (context) => {
    const status = grpcStatus(context);
    if (status === undefined) return undefined;
    const snake = names[status];
    return style === 'SNAKE_STRING' ? (snake ?? String(status)) : camel(snake ?? String(status));
  };
}

/** Undefined for an exchange that is not of gRPC. */
export function grpcStatus({ request, response, trailers, responseCode }: FormatContext): number | undefined {
  if (request.get('content-type')?.startsWith('application/grpc') !== true) return undefined;
  const text = trailers?.get('grpc-status') ?? response?.get('grpc-status');
  if (text !== undefined) return Number(text);
  return responseCode === undefined || responseCode === 200 ? undefined : statusOf(responseCode);
}

const names = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

function camel(name: string): string {
  if (name === 'OK') return name;
  // Envoy's own spelling.
  if (name === 'CANCELLED') return 'Canceled';
  return name
    .split('_')
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join('');
}

/** https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md */
function statusOf(code: number): number {
  const known: Readonly<Record<number, number>> = { 400: 13, 401: 16, 403: 7, 404: 12 };
  return known[code] ?? ([429, 502, 503, 504].includes(code) ? 14 : 2);
}
