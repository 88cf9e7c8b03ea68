// Messages that several Istio kinds use.
import { checkPort } from '../rules/addresses.ts';
import { checkSelector, warnEmptySelector } from '../rules/labels.ts';
import { checkWildcardDomain, isDnsLabel } from '../rules/names.ts';
import type { Infer } from '../schema/index.ts';
import { duration, mapOf, message, number, required, string, uint32 } from '../schema/index.ts';

export type Labels = Readonly<Record<string, string>>;

export const Percent = message('Percent', { value: number });
export type Percent = Infer<typeof Percent>;

export const PortSelector = message('PortSelector', { number: uint32 });
export type PortSelector = Infer<typeof PortSelector>;

export const Destination = message(
  'Destination',
  { host: required(string), subset: string, port: PortSelector },
  {
    rules: [
      ({ host, subset, port }, context) => {
        if (host === '*') context.report('MT0127', ['host'], '{} cannot be *: name the service');
        else checkWildcardDomain(host, ['host'], context);
        if (subset && !isDnsLabel(subset)) context.report('MT0109', ['subset'], `{}: "${subset}" is not possible as the name of a subset`);
        if (port) checkPort(port.number, ['port', 'number'], context);
      },
    ],
  },
);
export type Destination = Infer<typeof Destination>;

export const TcpKeepalive = message('TcpKeepalive', { probes: uint32, time: duration, interval: duration });
export type TcpKeepalive = Infer<typeof TcpKeepalive>;

/** `type/v1beta1/selector.proto`: the selector of the security kinds, ProxyConfig and DestinationRule. */
export const LabelSelector = message(
  'WorkloadSelector',
  { matchLabels: mapOf(string) },
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
  { labels: mapOf(string) },
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
