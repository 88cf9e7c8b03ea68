// What happens in the control plane, for logs, status and metrics.
import type { ResourceTypeName, ResourceVersion } from '../xds/index.ts';

export type PilotEvent =
  | { readonly kind: 'connected'; readonly proxy: string }
  | { readonly kind: 'disconnected'; readonly proxy: string }
  | {
      readonly kind: 'acknowledged';
      readonly proxy: string;
      readonly type: ResourceTypeName;
      readonly resources: readonly ResourceVersion[];
    }
  | {
      readonly kind: 'refused';
      readonly proxy: string;
      readonly type: ResourceTypeName;
      readonly resources: readonly ResourceVersion[];
      readonly message: string;
    }
  /** A proxy asks for private keys over plaintext. */
  | { readonly kind: 'secrets'; readonly proxy: string; readonly given: boolean }
  /** Changes of configuration are in force, and on their way to the proxies. */
  | { readonly kind: 'applied' }
  | { readonly kind: 'pushed'; readonly resources: number }
  /** A mistake of ours: something could not be made of the configuration. Proxies keep what they had. */
  | { readonly kind: 'failed'; readonly what: string; readonly error: unknown };
