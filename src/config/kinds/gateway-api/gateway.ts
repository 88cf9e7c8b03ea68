// Gateway API: Gateway, GatewayClass and ReferenceGrant.
import { anything, type Infer, int32, list, mapOf, message, required, string } from '../../schema/index.ts';
import { open } from './shared.ts';

const SecretObjectReference = message(
  'SecretObjectReference',
  { group: string, kind: string, name: required(string), namespace: string },
  open,
);

export const GatewayListener = message(
  'Listener',
  {
    name: required(string),
    hostname: string,
    port: required(int32),
    protocol: required(string),
    tls: message(
      'ListenerTLSConfig',
      { mode: string, certificateRefs: list(SecretObjectReference), frontendValidation: anything, options: mapOf(string) },
      open,
    ),
    allowedRoutes: message(
      'AllowedRoutes',
      {
        namespaces: message(
          'RouteNamespaces',
          {
            from: string,
            selector: message(
              'LabelSelector',
              {
                matchLabels: mapOf(string),
                matchExpressions: list(message('LabelSelectorRequirement', { key: string, operator: string, values: list(string) }, open)),
              },
              open,
            ),
          },
          open,
        ),
        kinds: list(message('RouteGroupKind', { group: string, kind: string }, open)),
      },
      open,
    ),
  },
  open,
);
export type GatewayListener = Infer<typeof GatewayListener>;

export const KubeGateway = message(
  'GatewaySpec',
  {
    gatewayClassName: required(string),
    listeners: list(GatewayListener),
    addresses: list(message('GatewaySpecAddress', { type: string, value: string }, open)),
    infrastructure: message('GatewayInfrastructure', { labels: mapOf(string), annotations: mapOf(string) }, open),
  },
  open,
);
export type KubeGateway = Infer<typeof KubeGateway>;

export const GatewayClass = message('GatewayClassSpec', { controllerName: required(string), description: string }, open);
export type GatewayClass = Infer<typeof GatewayClass>;

export const ReferenceGrant = message(
  'ReferenceGrantSpec',
  {
    from: list(message('ReferenceGrantFrom', { group: string, kind: string, namespace: string }, open)),
    to: list(message('ReferenceGrantTo', { group: string, kind: string, name: string }, open)),
  },
  open,
);
export type ReferenceGrant = Infer<typeof ReferenceGrant>;
