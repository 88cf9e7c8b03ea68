// Messages that several Istio kinds use.
import { checkPort } from '../rules/addresses.ts';
import { checkSelector, warnEmptySelector } from '../rules/labels.ts';
import { checkWildcardDomain, isDnsLabel } from '../rules/names.ts';
import type { Infer } from '../schema/index.ts';
import { duration, field, mapOf, message, number, required, string, uint32 } from '../schema/index.ts';

export type Labels = Readonly<Record<string, string>>;

export const Percent = message('Percent', { value: field(number, 'FractionalPercent.numerator') });
export type Percent = Infer<typeof Percent>;

export const PortSelector = message('PortSelector', {
  number: field(uint32, 'the port in the name of the cluster'),
});
export type PortSelector = Infer<typeof PortSelector>;

export const Destination = message(
  'Destination',
  {
    host: required(
      string,
      'RouteAction.cluster, RequestMirrorPolicy.cluster, TcpProxy.cluster or ClusterWeight.name, as outbound|PORT|SUBSET|HOST',
    ),
    subset: field(
      string,
      'RouteAction.cluster, RequestMirrorPolicy.cluster, TcpProxy.cluster or ClusterWeight.name, as outbound|PORT|SUBSET|HOST',
    ),
    port: PortSelector,
  },
  {
    rules: [
      ({ host, subset, port }, context) => {
        if (host === '*') context.report('MT0127', ['host'], '{} cannot be *: name the service');
        else checkWildcardDomain(host, ['host'], context);
        if (subset && !isDnsLabel(subset))
          context.report('MT0109', ['subset'], `{}: "${subset}" is not possible as the name of a subset`);
        if (port) checkPort(port.number, ['port', 'number'], context);
      },
    ],
  },
);
export type Destination = Infer<typeof Destination>;

export const TcpKeepalive = message('TcpKeepalive', {
  probes: field(uint32, 'TcpKeepalive.keepalive_probes'),
  time: field(duration, 'TcpKeepalive.keepalive_time'),
  interval: field(duration, 'TcpKeepalive.keepalive_interval'),
});
export type TcpKeepalive = Infer<typeof TcpKeepalive>;

/** `type/v1beta1/selector.proto`: the selector of the security kinds, ProxyConfig and DestinationRule. */
export const LabelSelector = message(
  'WorkloadSelector',
  { matchLabels: field(mapOf(string), 'which proxies it is for') },
  {
    rules: [
      ({ matchLabels }, context) => {
        checkSelector(matchLabels, ['matchLabels'], context);
        warnEmptySelector(matchLabels, [], context);
      },
    ],
  },
);
export type LabelSelector = Infer<typeof LabelSelector>;

export const WorkloadSelector = message(
  'WorkloadSelector',
  {
    labels: field(
      mapOf(string),
      'which proxies it is for; of a ServiceEntry: which workloads are its endpoints',
    ),
  },
  {
    rules: [
      ({ labels }, context) => {
        checkSelector(labels, ['labels'], context);
        warnEmptySelector(labels, [], context);
      },
    ],
  },
);
export type WorkloadSelector = Infer<typeof WorkloadSelector>;
