export { convertGatewayApi } from './gateway-api.ts';
export type { Generated } from './generated.ts';
export { convertIngresses } from './ingress.ts';
