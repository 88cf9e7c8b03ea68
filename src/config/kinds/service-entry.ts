// ServiceEntry: https://istio.io/latest/docs/reference/config/networking/service-entry/

import { checkExportTo } from '../rules/export-to.ts';
import { exclusive } from '../rules/fields.ts';
import {
  checkServiceAddresses,
  checkServiceEndpoints,
  checkServiceHosts,
  checkServicePorts,
  warnServiceEntry,
} from '../rules/service-entry.ts';
import { enumOf, field, type Infer, list, message, string, uint32 } from '../schema/index.ts';
import { WorkloadSelector } from './shared.ts';
import { WorkloadEntryFields } from './workload-entry.ts';

export const ServicePort = message('ServicePort', {
  number: field(uint32, 'Cluster.name; Listener.address'),
  protocol: field(string, 'Listener.filter_chains; Cluster.typed_extension_protocol_options'),
  name: field(string, 'joins the ports to those of endpoints'),
  targetPort: field(uint32, 'ClusterLoadAssignment: Endpoint.address'),
});
export type ServicePort = Infer<typeof ServicePort>;

const ServiceEntryStatus = message(
  'ServiceEntryStatus',
  {
    addresses: list(
      message(
        'ServiceEntryAddress',
        {
          value: field(string, 'Listener.address for proxies that capture DNS'),
          host: field(string, 'the host that the address is for'),
        },
        { open: true },
      ),
    ),
  },
  { open: true },
);

export const ServiceEntry = message(
  'ServiceEntry',
  {
    hosts: field(list(string), 'Cluster.name; VirtualHost.domains; FilterChainMatch.server_names'),
    addresses: field(list(string), 'Listener.address; FilterChainMatch.prefix_ranges; VirtualHost.domains'),
    ports: list(ServicePort),
    location: field(
      enumOf(['MESH_EXTERNAL', 'MESH_INTERNAL']),
      'Cluster.transport_socket_matches: mutual TLS inside the mesh only',
    ),
    resolution: field(enumOf(['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS']), 'Cluster.type'),
    endpoints: list(WorkloadEntryFields),
    workloadSelector: WorkloadSelector,
    exportTo: field(list(string), 'which proxies get clusters and routes'),
    subjectAltNames: field(list(string), 'CertificateValidationContext.match_subject_alt_names'),
    status: ServiceEntryStatus,
  },
  {
    rules: [
      exclusive('workloadSelector', 'endpoints'),
      checkServiceHosts,
      checkServiceAddresses,
      checkServicePorts,
      checkServiceEndpoints,
      warnServiceEntry,
      ({ exportTo }, context) => checkExportTo(exportTo, context, { isServiceEntry: true }),
    ],
  },
);
export type ServiceEntry = Infer<typeof ServiceEntry>;
