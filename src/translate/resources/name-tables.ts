// The names of the mesh for Istio's agent, which answers for them beside a stock proxy: one table a client.
// https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/
import { create } from '@bufbuild/protobuf';
import {
  type NameTable,
  NameTable_NameInfoSchema,
  NameTableSchema,
} from '@meltemi/envoy-api/istio/networking/nds/v1/nds';
import type { Audience, Mesh } from '../../mesh/index.ts';
import { addressesOfName } from '../dns/name-table.ts';
import { type Derivations, group, groupedKind, made, type ResourceKind } from './resource-kind.ts';

/** The agent asks for whatever table there is. */
const tableName = 'nameTable';

export function nameTables(from: Derivations): ResourceKind {
  const { engine, mesh } = from;
  const schema = NameTableSchema;
  const tables = made(engine, { family: tableName, schema }, (_name, audience: Audience) =>
    tableFor(mesh, audience),
  );
  const own = group(tables, {
    names: ({ type }) => (type === 'sidecar' ? [tableName] : []),
    owns: () => true,
    keyOf: ({ audience }) => [audience],
  });
  return groupedKind(from, tableName, [own]);
}

/** By full host names: the agent makes the shorter ones itself, of the names of Kubernetes services. */
function tableFor(mesh: Mesh, audience: Audience): NameTable {
  const entries = mesh.reachableServices(audience).flatMap((service) => {
    const ips = addressesOfName(mesh, audience, service);
    if (ips.length === 0) return [];
    const { hostname, name: shortname, namespace, source } = service;
    const info =
      source === 'kubernetes' ? { registry: 'Kubernetes', shortname, namespace } : { registry: 'External' };
    return [[hostname, create(NameTable_NameInfoSchema, { ips: [...ips], ...info })] as const];
  });
  return create(NameTableSchema, { table: Object.fromEntries(entries) });
}
