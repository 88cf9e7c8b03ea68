// Behaviour that Istio's control plane takes from its environment: off unless asked for.
// https://istio.io/latest/docs/reference/commands/pilot-discovery/#envvars

export interface MeshFeatures {
  /**
   * Ingress listeners of a Sidecar end the TLS that they declare, on ports without mutual TLS of the mesh.
   */
  readonly tlsOnSidecarIngress: boolean;
  /** A TCP port of a headless service is one listener with a filter chain a pod, not a listener a pod. */
  readonly headlessFilterChains: boolean;
}

export const defaultFeatures: MeshFeatures = { tlsOnSidecarIngress: false, headlessFilterChains: false };

/** By the names of the reference. */
export function readFeatures(
  environment: Readonly<Record<string, string | boolean | undefined>>,
): MeshFeatures {
  const isOn = (name: string): boolean => String(environment[name]) === 'true';
  return {
    tlsOnSidecarIngress: isOn('ENABLE_TLS_ON_SIDECAR_INGRESS'),
    headlessFilterChains: isOn('PILOT_ENABLE_HEADLESS_FILTER_CHAIN_LISTENER'),
  };
}
