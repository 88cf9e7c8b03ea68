// WorkloadGroup: https://istio.io/latest/docs/reference/config/networking/workload-group/
import { checkPort } from '../rules/addresses.ts';
import { checkLabels } from '../rules/labels.ts';
import {
  field,
  type Infer,
  ignored,
  int32,
  list,
  mapOf,
  message,
  noEffect,
  type RuleContext,
  required,
  string,
  text,
  uint32,
} from '../schema/index.ts';
import { WorkloadEntryFields } from './workload-entry.ts';

export const HTTPHealthCheckConfig = message(
  'HTTPHealthCheckConfig',
  {
    path: ignored(string, 'see probe'),
    port: required(uint32, 'see probe'),
    host: ignored(string, 'see probe'),
    scheme: ignored(string, 'see probe'),
    httpHeaders: list(
      message('HTTPHeader', { name: required(string, 'see probe'), value: ignored(string, 'see probe') }),
    ),
  },
  {
    rules: [
      ({ port, scheme = '', httpHeaders = [] }, context) => {
        checkPort(port, ['port'], context);
        if (!['', 'HTTP', 'HTTPS'].includes(scheme))
          context.report('MT0132', ['scheme'], `{} must be HTTP or HTTPS, not "${scheme}"`);
        httpHeaders.forEach(({ name }, i) => {
          if (!/^[-A-Za-z0-9]+$/.test(name))
            context.report(
              'MT0113',
              ['httpHeaders', i, 'name'],
              `"${name}" is not possible as the name of a probe's header`,
            );
        });
      },
    ],
  },
);
export const TCPHealthCheckConfig = message(
  'TCPHealthCheckConfig',
  { host: ignored(string, 'see probe'), port: required(uint32, 'see probe') },
  { rules: [({ port }, context) => checkPort(port, ['port'], context)] },
);

export const ReadinessProbe = message(
  'ReadinessProbe',
  {
    initialDelaySeconds: ignored(int32, 'see probe'),
    timeoutSeconds: ignored(int32, 'see probe'),
    periodSeconds: ignored(int32, 'see probe'),
    successThreshold: ignored(int32, 'see probe'),
    failureThreshold: ignored(int32, 'see probe'),
    httpGet: HTTPHealthCheckConfig,
    tcpSocket: TCPHealthCheckConfig,
    exec: message('ExecHealthCheckConfig', { command: ignored(list(text), 'see probe') }),
    grpc: message('GrpcHealthCheckConfig', {
      port: ignored(uint32, 'see probe'),
      service: ignored(string, 'see probe'),
    }),
  },
  { rules: [checkTimes, checkMethod] },
);
export type ReadinessProbe = Infer<typeof ReadinessProbe>;

export const WorkloadGroup = message('WorkloadGroup', {
  metadata: message(
    'ObjectMeta',
    {
      labels: field(mapOf(string), 'labels of the WorkloadEntry of each proxy that joins'),
      annotations: field(mapOf(text), 'annotations of the WorkloadEntry of each proxy that joins'),
    },
    { rules: [({ labels }, context) => checkLabels(labels, ['labels'], context)] },
  ),
  template: required(WorkloadEntryFields),
  probe: noEffect(ReadinessProbe, 'members are taken for healthy while their proxy is connected'),
});
export type WorkloadGroup = Infer<typeof WorkloadGroup>;

const times = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

function checkTimes(
  probe: { readonly [name in (typeof times)[number]]?: number },
  context: RuleContext,
): void {
  for (const name of times)
    if ((probe[name] ?? 0) < 0) context.report('MT0105', [name], '{} cannot be negative');
}

interface ProbeMethods {
  readonly httpGet?: unknown;
  readonly tcpSocket?: unknown;
  readonly exec?: { readonly command?: readonly string[] };
  readonly grpc?: unknown;
}

function checkMethod({ httpGet, tcpSocket, exec, grpc }: ProbeMethods, context: RuleContext): void {
  const given = [httpGet, tcpSocket, exec, grpc].filter((method) => method !== undefined).length;
  if (grpc !== undefined)
    context.report('MT0132', ['grpc'], '{} is not a health check that works; use httpGet, tcpSocket or exec');
  if (given !== 1) context.report('MT0132', [], '{} needs one of httpGet, tcpSocket and exec');
  if (exec && (exec.command ?? []).length === 0)
    context.report('MT0132', ['exec', 'command'], '{} is missing');
}
