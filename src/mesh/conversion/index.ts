export { convertGatewayApi } from './gateway-api.ts';
export { type Generated, workloadCredential } from './generated.ts';
export { convertIngresses } from './ingress.ts';
