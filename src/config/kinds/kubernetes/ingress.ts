// Ingress and IngressClass (networking.k8s.io/v1).
import { field, type Infer, ignored, int32, list, message, noEffect, string } from '../../schema/index.ts';
import { LoadBalancerStatus } from './core.ts';

const open = { open: true } as const;

export const IngressBackend = message(
  'IngressBackend',
  {
    service: message(
      'IngressServiceBackend',
      {
        name: field(string, 'RouteAction.cluster'),
        port: message(
          'ServiceBackendPort',
          { name: field(string, 'RouteAction.cluster'), number: field(int32, 'RouteAction.cluster') },
          open,
        ),
      },
      open,
    ),
    resource: noEffect(
      message(
        'TypedLocalObjectReference',
        {
          apiGroup: ignored(string, 'see resource'),
          kind: ignored(string, 'see resource'),
          name: ignored(string, 'see resource'),
        },
        open,
      ),
      'backends are Services',
    ),
  },
  open,
);
export type IngressBackend = Infer<typeof IngressBackend>;

export const IngressRule = message(
  'IngressRule',
  {
    host: field(string, 'VirtualHost.domains'),
    http: message(
      'HTTPIngressRuleValue',
      {
        paths: list(
          message(
            'HTTPIngressPath',
            {
              path: field(string, 'RouteMatch.prefix, RouteMatch.path'),
              pathType: field(string, 'RouteMatch.prefix, RouteMatch.path'),
              backend: IngressBackend,
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
export type IngressRule = Infer<typeof IngressRule>;

export const Ingress = message(
  'IngressSpec',
  {
    ingressClassName: field(string, 'whether it is served'),
    defaultBackend: noEffect(IngressBackend, 'write a rule without host for the path /'),
    tls: list(
      message(
        'IngressTLS',
        {
          hosts: field(list(string), 'FilterChainMatch.server_names'),
          secretName: field(string, 'CommonTlsContext.tls_certificate_sds_secret_configs (kubernetes://…)'),
        },
        open,
      ),
    ),
    rules: list(IngressRule),
    status: message('IngressStatus', { loadBalancer: LoadBalancerStatus }, open),
  },
  open,
);
export type Ingress = Infer<typeof Ingress>;

export const IngressClass = message(
  'IngressClassSpec',
  {
    controller: field(string, 'whether Ingresses of the class are served'),
    parameters: ignored(
      message(
        'IngressClassParametersReference',
        {
          apiGroup: ignored(string, 'see parameters'),
          kind: ignored(string, 'see parameters'),
          name: ignored(string, 'see parameters'),
          namespace: ignored(string, 'see parameters'),
          scope: ignored(string, 'see parameters'),
        },
        open,
      ),
      'there are none',
    ),
  },
  open,
);
export type IngressClass = Infer<typeof IngressClass>;
