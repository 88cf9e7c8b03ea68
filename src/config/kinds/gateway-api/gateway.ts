// Gateway API: Gateway, GatewayClass and ReferenceGrant.
import {
  anything,
  field,
  type Infer,
  ignored,
  integerIn,
  list,
  mapOf,
  message,
  noEffect,
  required,
  string,
  text,
} from '../../schema/index.ts';
import { open } from './shared.ts';

const SecretObjectReference = message(
  'SecretObjectReference',
  {
    group: field(string, 'whether it is a Secret'),
    kind: field(string, 'whether it is a Secret'),
    name: required(string, 'CommonTlsContext.tls_certificate_sds_secret_configs (kubernetes-gateway://…)'),
    namespace: field(
      string,
      'CommonTlsContext.tls_certificate_sds_secret_configs, if a ReferenceGrant allows it',
    ),
  },
  open,
);
export type SecretObjectReference = Infer<typeof SecretObjectReference>;

const ObjectReference = message(
  'ObjectReference',
  {
    group: field(string, 'CertificateValidationContext.trusted_ca'),
    kind: field(string, 'CertificateValidationContext.trusted_ca'),
    name: required(string, 'CertificateValidationContext.trusted_ca'),
    namespace: field(string, 'CertificateValidationContext.trusted_ca, if a ReferenceGrant allows it'),
  },
  open,
);

const FrontendTLS = message(
  'TLSConfig',
  {
    validation: message(
      'FrontendTLSValidation',
      {
        caCertificateRefs: list(ObjectReference),
        mode: field(string, 'AllowInsecureFallback: CertificateValidationContext.trust_chain_verification'),
      },
      open,
    ),
  },
  open,
);
export type FrontendTLS = Infer<typeof FrontendTLS>;

const GatewayTLS = message(
  'GatewayTLSConfig',
  {
    frontend: message(
      'FrontendTLSConfig',
      {
        default: FrontendTLS,
        perPort: list(
          message(
            'TLSPortConfig',
            { port: required(integerIn(1, 65_535), 'Listener.address'), tls: FrontendTLS },
            open,
          ),
        ),
      },
      open,
    ),
    backend: message('GatewayBackendTLS', { clientCertificateRef: SecretObjectReference }, open),
  },
  open,
);

const GatewayLabelSelector = message(
  'LabelSelector',
  {
    matchLabels: field(mapOf(string), 'which namespaces may attach routes'),
    matchExpressions: list(
      message(
        'LabelSelectorRequirement',
        {
          key: required(string, 'which namespaces may attach routes'),
          operator: required(string, 'which namespaces may attach routes'),
          values: field(list(string), 'which namespaces may attach routes'),
        },
        open,
      ),
    ),
  },
  open,
);
export type GatewayLabelSelector = Infer<typeof GatewayLabelSelector>;

export const GatewayListener = message(
  'Listener',
  {
    name: required(string, 'RouteConfiguration.name; sectionName of routes'),
    hostname: field(string, 'VirtualHost.domains; FilterChainMatch.server_names'),
    port: required(integerIn(1, 65_535), 'Listener.address'),
    protocol: required(string, 'Listener.filter_chains'),
    tls: message(
      'ListenerTLSConfig',
      {
        mode: field(string, 'FilterChain.transport_socket'),
        certificateRefs: list(SecretObjectReference),
        frontendValidation: noEffect(anything, 'it moved to spec.tls.frontend of the Gateway'),
        options: field(
          mapOf(string),
          'gateway.istio.io/tls-terminate-mode, tls-cipher-suites: FilterChain.transport_socket',
        ),
      },
      open,
    ),
    allowedRoutes: message(
      'AllowedRoutes',
      {
        namespaces: message(
          'RouteNamespaces',
          {
            from: field(string, 'which namespaces may attach routes'),
            selector: GatewayLabelSelector,
          },
          open,
        ),
        kinds: list(
          message(
            'RouteGroupKind',
            {
              group: field(string, 'which routes may be attached'),
              kind: field(string, 'which routes may be attached'),
            },
            open,
          ),
        ),
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
    gatewayClassName: required(string, 'whether it is served'),
    tls: GatewayTLS,
    allowedListeners: message(
      'AllowedListeners',
      {
        namespaces: message(
          'ListenerNamespaces',
          { from: field(string, 'which namespaces may add listeners'), selector: GatewayLabelSelector },
          open,
        ),
      },
      open,
    ),
    listeners: list(GatewayListener),
    addresses: list(
      message(
        'GatewaySpecAddress',
        {
          type: field(string, 'Hostname: the pods of which service listen'),
          value: field(string, 'the pods of which service listen'),
        },
        open,
      ),
    ),
    infrastructure: message(
      'GatewayInfrastructure',
      {
        labels: ignored(mapOf(string), 'no workload is deployed for a Gateway'),
        annotations: ignored(mapOf(string), 'no workload is deployed for a Gateway'),
        parametersRef: message(
          'LocalParametersReference',
          {
            group: ignored(string, 'no workload is deployed for a Gateway'),
            kind: ignored(string, 'no workload is deployed for a Gateway'),
            name: required(string, 'the status of the Gateway'),
          },
          open,
        ),
      },
      open,
    ),
  },
  open,
);
export type KubeGateway = Infer<typeof KubeGateway>;

export const ListenerSet = message(
  'ListenerSetSpec',
  {
    parentRef: required(
      message(
        'ParentGatewayReference',
        {
          group: field(string, 'which Gateway gets the listeners'),
          kind: field(string, 'which Gateway gets the listeners'),
          namespace: field(string, 'which Gateway gets the listeners'),
          name: required(string, 'which Gateway gets the listeners'),
        },
        open,
      ),
    ),
    listeners: list(GatewayListener),
  },
  open,
);
export type ListenerSet = Infer<typeof ListenerSet>;

export const GatewayClass = message(
  'GatewayClassSpec',
  {
    controllerName: required(string, 'whether Gateways of the class are served'),
    description: ignored(text, 'a text for people'),
  },
  open,
);
export type GatewayClass = Infer<typeof GatewayClass>;

export const ReferenceGrant = message(
  'ReferenceGrantSpec',
  {
    from: list(
      message(
        'ReferenceGrantFrom',
        {
          group: field(string, 'who may name objects of this namespace'),
          kind: field(string, 'who may name objects of this namespace'),
          namespace: field(string, 'who may name objects of this namespace'),
        },
        open,
      ),
    ),
    to: list(
      message(
        'ReferenceGrantTo',
        {
          group: field(string, 'which objects of this namespace may be named'),
          kind: field(string, 'which objects of this namespace may be named'),
          name: field(string, 'which objects of this namespace may be named'),
        },
        open,
      ),
    ),
  },
  open,
);
export type ReferenceGrant = Infer<typeof ReferenceGrant>;
