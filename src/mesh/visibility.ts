// Who may see a resource: `exportTo`, with the mesh's default where a resource says nothing.
// https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService (exportTo)

export interface Visibility {
  /** `named` lists namespaces; `public` and `nobody` speak for themselves. */
  readonly kind: 'public' | 'named' | 'nobody';
  readonly namespaces: readonly string[];
}

export function visibilityOf(
  exportTo: readonly string[] | undefined,
  namespace: string,
  byDefault: readonly string[] | undefined,
): Visibility {
  const list = exportTo?.length ? exportTo : byDefault?.length ? byDefault : ['*'];
  if (list.includes('*')) return { kind: 'public', namespaces: [] };
  const namespaces = list.filter((item) => item !== '~').map((item) => (item === '.' ? namespace : item));
  return namespaces.length === 0 ? { kind: 'nobody', namespaces } : { kind: 'named', namespaces };
}

export function isVisible(visibility: Visibility, client: string): boolean {
  return visibility.kind === 'public' || visibility.namespaces.includes(client);
}
