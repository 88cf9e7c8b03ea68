// Ports of the capturing listeners:
// https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio
import type { MeshConfig } from '../../config/index.ts';

export const anyAddress = '0.0.0.0';

export function outboundCapturePort({ proxyListenPort }: MeshConfig): number {
  return proxyListenPort || 15_001;
}

export function inboundCapturePort({ proxyInboundListenPort }: MeshConfig): number {
  return proxyInboundListenPort || 15_006;
}

/** Whether a capturing listener is in the place. */
export function isCapturing(address: string, port: number, mesh: MeshConfig): boolean {
  return address === anyAddress && (port === outboundCapturePort(mesh) || port === inboundCapturePort(mesh));
}
