// Cipher suites and curves by the names of Envoy's TLS library. It refuses a whole listener or cluster for a
// name that it does not know.

/** Between proxies of the mesh. */
export const meshCiphers = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
];

const ciphers: ReadonlySet<string> = new Set([
  ...meshCiphers,
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-SHA',
  'AES256-SHA',
  'DES-CBC3-SHA',
]);

const curves: ReadonlySet<string> = new Set(['P-224', 'P-256', 'P-384', 'P-521', 'X25519', 'X25519MLKEM768']);

export function knownCiphers(names: readonly string[] | undefined): string[] {
  return known(names, ciphers);
}

export function knownCurves(names: readonly string[] | undefined): string[] {
  return known(names, curves);
}

function known(names: readonly string[] | undefined, all: ReadonlySet<string>): string[] {
  return [...new Set(names)].filter((name) => all.has(name));
}
