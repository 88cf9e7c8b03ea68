// Ports of the capturing listeners: https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio
export const outboundCapturePort = 15_001;
export const inboundCapturePort = 15_006;
