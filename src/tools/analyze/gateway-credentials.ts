// Certificates that a Gateway names and that are not there: clients of the server get a failed handshake.
import type { Server } from '../../config/index.ts';
import type { Mesh } from '../../mesh/index.ts';
import { type ObjectOf, selects } from '../../registry/index.ts';
import type { Check } from './check.ts';

export const gatewayCredentials: Check<'Gateway'> = {
  kind: 'Gateway',
  check: (mesh, gateway, report) => {
    gateway.spec.servers?.forEach(({ tls }, i) => {
      for (const { name, field } of credentialsOf(tls)) {
        const problem = problemOf(mesh, gateway, name);
        if (problem)
          report(
            'MT0209',
            `spec.servers[${i}].tls.${field}`,
            `${problem}; clients get a failed handshake until it is there`,
          );
      }
    });
  },
};

interface NamedCredential {
  readonly name: string;
  readonly field: string;
}

function credentialsOf(tls: Server['tls']): readonly NamedCredential[] {
  if (!tls || tls.mode === 'PASSTHROUGH' || tls.mode === 'AUTO_PASSTHROUGH' || tls.mode === 'ISTIO_MUTUAL')
    return [];
  const several = (tls.credentialNames ?? []).map((name, i) => ({ name, field: `credentialNames[${i}]` }));
  const named = [
    { name: tls.credentialName ?? '', field: 'credentialName' },
    { name: tls.caCertCredentialName ?? '', field: 'caCertCredentialName' },
    ...several,
  ];
  // Other schemes are somebody else's to answer.
  return named.filter(({ name }) => name !== '' && !name.includes(':'));
}

/** A Secret belongs into the namespace of the gateway's pods, which may not be known here. */
function problemOf(mesh: Mesh, gateway: ObjectOf<'Gateway'>, written: string): string | undefined {
  const slash = written.indexOf('/');
  const name = written.slice(slash + 1);
  const found = mesh.store
    .table('Secret')
    .keys()
    .filter((key) => key.endsWith(`/${name}`));
  const homes = slash < 0 ? namespacesOfPods(mesh, gateway) : [written.slice(0, slash)];
  const present = found.map((key) => key.slice(0, key.indexOf('/')));
  if (homes.length === 0 ? present.length > 0 : homes.every((home) => present.includes(home)))
    return undefined;
  const where =
    homes.length === 0
      ? ''
      : ` in namespace ${homes.filter((home) => !present.includes(home)).join(' and ')}, where the gateway's pods are`;
  const elsewhere = present.length === 0 ? '' : ` (there is one in ${present.join(' and ')})`;
  return `there is no Secret ${name}${where}${elsewhere}`;
}

function namespacesOfPods(mesh: Mesh, { spec }: ObjectOf<'Gateway'>): readonly string[] {
  const selector = spec.selector ?? {};
  if (Object.keys(selector).length === 0) return [];
  const pods = mesh.store
    .table('Pod')
    .values()
    .filter(({ metadata }) => selects(selector, metadata.labels));
  return [...new Set(pods.map(({ metadata }) => metadata.namespace))].sort();
}
