// MeshConfig `defaultConfig.proxyHeaders`: which headers of their own proxies add.
// https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig-ProxyHeaders
import type { MeshConfig } from '../../config/index.ts';

interface Switch {
  readonly disabled?: boolean;
}

export interface ProxyHeaders {
  readonly server?: Switch & { readonly value?: string };
  readonly requestId?: Switch;
  readonly attemptCount?: Switch;
  readonly envoyDebugHeaders?: Switch;
  readonly xForwardedHost?: { readonly enabled?: boolean };
}

export function proxyHeaders(mesh: MeshConfig): ProxyHeaders {
  const headers = mesh.defaultConfig?.proxyHeaders;
  return typeof headers === 'object' && headers !== null ? (headers as ProxyHeaders) : {};
}
