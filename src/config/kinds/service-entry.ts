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
import { enumOf, type Infer, list, message, string, uint32 } from '../schema/index.ts';
import { WorkloadSelector } from './shared.ts';
import { WorkloadEntryFields } from './workload-entry.ts';

export const ServicePort = message('ServicePort', { number: uint32, protocol: string, name: string, targetPort: uint32 });
export type ServicePort = Infer<typeof ServicePort>;

export const ServiceEntry = message(
  'ServiceEntry',
  {
    hosts: list(string),
    addresses: list(string),
    ports: list(ServicePort),
    location: enumOf(['MESH_EXTERNAL', 'MESH_INTERNAL']),
    resolution: enumOf(['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS']),
    endpoints: list(WorkloadEntryFields),
    workloadSelector: WorkloadSelector,
    exportTo: list(string),
    subjectAltNames: list(string),
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
