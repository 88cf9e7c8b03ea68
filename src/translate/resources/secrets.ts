// Certificates that rules name, for the proxies that may have them.
import { SecretSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import type { Audience } from '../../mesh/index.ts';
import { encodeResource, sameResource } from '../encoded-resource.ts';
import { kubernetesSecret } from '../kubernetes-secret.ts';
import { sidecarMayRead } from '../sidecar-credentials.ts';
import type { Derivations, ResourceKind } from './resource-kind.ts';

export function secrets({ engine, mesh: { store } }: Derivations): ResourceKind {
  const resources = engine.family(
    'secret',
    (audience: Audience, name: string) => {
      if (audience.type === 'sidecar' && !sidecarMayRead(store, name, audience)) return undefined;
      const secret = kubernetesSecret(store, name, audience.namespace);
      return secret && encodeResource(SecretSchema, name, secret);
    },
    sameResource,
  );
  return { type: 'secret', resource: ({ audience }, name) => resources.at(audience, name) };
}
