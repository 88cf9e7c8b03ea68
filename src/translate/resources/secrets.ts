// Certificates that rules name, for the proxies that may have them.
import { SecretSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import type { Audience } from '../../mesh/index.ts';
import { kubernetesSecret } from '../kubernetes-secret.ts';
import { sidecarMayRead } from '../sidecar-credentials.ts';
import { type Derivations, made, type ResourceKind } from './resource-kind.ts';

export function secrets({ engine, mesh: { store } }: Derivations): ResourceKind {
  const resources = made(engine, { family: 'secret', schema: SecretSchema }, (name, audience: Audience) => {
    if (audience.type === 'sidecar' && !sidecarMayRead(store, name, audience)) return undefined;
    return kubernetesSecret(store, name, audience.namespace);
  });
  return {
    type: 'secret',
    resource: ({ audience }, name) => resources.at(name, audience),
    message: ({ audience }, name) => resources.message(name, audience),
  };
}
