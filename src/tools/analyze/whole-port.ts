// A ServiceEntry without addresses whose port carries no host name (TCP) takes every connection of the mesh
// to that port number.
import { isHttp, isTls, parseProtocol } from '../../registry/index.ts';
import type { Check } from './check.ts';

export const wholePort: Check<'ServiceEntry'> = {
  kind: 'ServiceEntry',
  check: (_, { spec }, report) => {
    // With resolution NONE connections go on to where they were headed.
    if ((spec.addresses ?? []).length > 0 || (spec.resolution ?? 'NONE') === 'NONE') return;
    spec.ports?.forEach(({ number, protocol }, i) => {
      const kind = parseProtocol(protocol);
      if (kind === 'auto' || kind === 'udp' || isHttp(kind) || isTls(kind)) return;
      const what = `every connection of the mesh to port ${number}, whatever its address, goes to ${spec.hosts?.join(', ')}`;
      const why = `${protocol} carries no host name and the entry has no addresses`;
      report(
        'MT0210',
        `spec.ports[${i}]`,
        `${what}: ${why}; give it addresses, or protocol TLS or HTTP if it is that`,
      );
    });
  },
};
