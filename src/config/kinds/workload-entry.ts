// WorkloadEntry: https://istio.io/latest/docs/reference/config/networking/workload-entry/
import { checkPort, checkUnixPath, isIpAddress, unixPrefix } from '../rules/addresses.ts';
import { checkLabels } from '../rules/labels.ts';
import { domainProblem, isDnsLabel } from '../rules/names.ts';
import {
  field,
  type Infer,
  mapOf,
  message,
  noEffect,
  type RuleContext,
  string,
  uint32,
  withRules,
} from '../schema/index.ts';

/**
 * The message as ServiceEntry.endpoints and WorkloadGroup.template have it, where other rules hold for the
 * address.
 */
export const WorkloadEntryFields = message(
  'WorkloadEntry',
  {
    address: field(string, 'Endpoint.address'),
    ports: field(mapOf(uint32), 'Endpoint.address, the port'),
    labels: field(mapOf(string), 'which subsets and selectors take it; tlsMode of LbEndpoint.metadata'),
    network: noEffect(string, 'there is one network; endpoints are dialled at their address'),
    locality: field(string, 'LocalityLbEndpoints.locality'),
    weight: field(uint32, 'LbEndpoint.load_balancing_weight'),
    serviceAccount: field(string, 'CertificateValidationContext.match_subject_alt_names'),
  },
  {
    rules: [
      ({ labels, ports }, context) => {
        checkLabels(labels, ['labels'], context);
        for (const [name, port] of Object.entries(ports ?? {})) {
          checkPort(port, ['ports', name], context);
          if (!isDnsLabel(name))
            context.report('MT0109', ['ports', name], `"${name}" is not possible as the name of a port`);
        }
      },
    ],
  },
);
export type WorkloadEntry = Infer<typeof WorkloadEntryFields>;

export const WorkloadEntry = withRules(WorkloadEntryFields, (entry, context) => {
  const { address = '' } = entry;
  if (checkNoAddress(entry, context)) return;
  if (address.startsWith(unixPrefix)) checkUnixAddress(entry, context);
  else if (!isIpAddress(address) && domainProblem(address))
    context.report('MT0119', ['address'], `"${address}" is neither an IP address nor a DNS name`);
});

/** Whether there is no address; another network may supply one (its gateway's). */
export function checkNoAddress({ address, network }: WorkloadEntry, context: RuleContext): boolean {
  if (address) return false;
  if (network)
    context.report(
      'MT0157',
      [],
      `{} has no address, only the network "${network}": it is reached through that network's gateway`,
    );
  else context.report('MT0103', ['address'], '{} is missing');
  return true;
}

export function checkUnixAddress({ address = '', ports = {} }: WorkloadEntry, context: RuleContext): void {
  checkUnixPath(address.slice(unixPrefix.length), ['address'], context);
  if (Object.keys(ports).length > 0)
    context.report('MT0119', ['ports'], '{} cannot stand beside the address of a unix socket');
}
