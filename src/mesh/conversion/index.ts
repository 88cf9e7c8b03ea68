export { type ConversionInputs, conversionsOf } from './conversions.ts';
export { systemRoots } from './gateway-api/backend-tls-policies.ts';
export { configMapScheme, gatewaySecretScheme } from './gateway-api/listener-tls.ts';
export { hasConversions } from './gateway-api/objects.ts';
export { convertGatewayApi } from './gateway-api.ts';
export { type Generated, type RouteSemantics, workloadCredential } from './generated.ts';
export { convertIngresses } from './ingress.ts';
export * from './status/index.ts';
