// Ingress and IngressClass (networking.k8s.io/v1).
import { type Infer, int32, list, message, string } from '../../schema/index.ts';
import { LoadBalancerStatus } from './core.ts';

const open = { open: true } as const;

export const IngressBackend = message(
  'IngressBackend',
  {
    service: message(
      'IngressServiceBackend',
      { name: string, port: message('ServiceBackendPort', { name: string, number: int32 }, open) },
      open,
    ),
    resource: message('TypedLocalObjectReference', { apiGroup: string, kind: string, name: string }, open),
  },
  open,
);
export type IngressBackend = Infer<typeof IngressBackend>;

export const IngressRule = message(
  'IngressRule',
  {
    host: string,
    http: message(
      'HTTPIngressRuleValue',
      { paths: list(message('HTTPIngressPath', { path: string, pathType: string, backend: IngressBackend }, open)) },
      open,
    ),
  },
  open,
);
export type IngressRule = Infer<typeof IngressRule>;

export const Ingress = message(
  'IngressSpec',
  {
    ingressClassName: string,
    defaultBackend: IngressBackend,
    tls: list(message('IngressTLS', { hosts: list(string), secretName: string }, open)),
    rules: list(IngressRule),
    status: message('IngressStatus', { loadBalancer: LoadBalancerStatus }, open),
  },
  open,
);
export type Ingress = Infer<typeof Ingress>;

export const IngressClass = message(
  'IngressClassSpec',
  {
    controller: string,
    parameters: message(
      'IngressClassParametersReference',
      { apiGroup: string, kind: string, name: string, namespace: string, scope: string },
      open,
    ),
  },
  open,
);
export type IngressClass = Infer<typeof IngressClass>;
