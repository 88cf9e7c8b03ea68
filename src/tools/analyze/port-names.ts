// A port name chooses the protocol by its first word; one that is a slip of the pen chooses none.
// https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
import { suggest } from '../../config/index.ts';
import { protocolOfPort } from '../../registry/index.ts';
import type { Check } from './check.ts';

const words = ['http', 'https', 'http2', 'grpc', 'tcp', 'tls', 'mongo', 'mysql', 'redis'];
const shortest = 3;

export const portNames: Check<'Service'> = {
  kind: 'Service',
  check: (_, { spec }, report) => {
    spec.ports?.forEach((port, i) => {
      const { name = '', appProtocol, protocol = 'TCP' } = port;
      const word = name.split('-', 1)[0] ?? '';
      // `mysqlx`, `rediss`, `http1` say more than a known word, not less.
      if (
        appProtocol ||
        protocol !== 'TCP' ||
        word.length < shortest ||
        words.some((known) => word.startsWith(known))
      )
        return;
      const meant = suggest(word, words);
      if (meant === undefined || protocolOfPort({ ...port, port: port.port ?? 0 }) !== 'auto') return;
      const better = `${meant}${name.slice(word.length)}`;
      report(
        'MT0212',
        `spec.ports[${i}].name`,
        `the name "${name}" says no protocol, so it is detected; did you mean "${better}"?`,
      );
    });
  },
};
