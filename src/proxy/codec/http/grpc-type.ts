/** Whether a content type is gRPC's own, with or without a message format. */
export function isGrpcType(type: string): boolean {
  return (
    type.startsWith('application/grpc') &&
    (type.length === 16 || type.charCodeAt(16) === 0x2b || type.charCodeAt(16) === 0x3b)
  );
}
