// Who may see a resource: `exportTo`, with the mesh's default where a resource says nothing.
// https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService (exportTo)

export interface Visibility {
  /** `named` lists namespaces; `public` and `nobody` speak for themselves. */
  readonly kind: 'public' | 'named' | 'nobody';
  readonly namespaces: readonly string[];
}

const everybody: Visibility = { kind: 'public', namespaces: [] };
const nobody: Visibility = { kind: 'nobody', namespaces: [] };

export function visibilityOf(
  exportTo: readonly string[] | undefined,
  namespace: string,
  byDefault: readonly string[] | undefined,
): Visibility {
  if (!exportTo?.length) return defaultVisibility(namespace, byDefault);
  if (exportTo.includes('*')) return everybody;
  if (exportTo.includes('~')) return nobody;
  return {
    kind: 'named',
    namespaces: [...new Set(exportTo.map((item) => (item === '.' ? namespace : item)))],
  };
}

/** Of the mesh's default only `.` and `*` mean something. */
function defaultVisibility(namespace: string, byDefault: readonly string[] | undefined): Visibility {
  if (!byDefault?.length) return everybody;
  if (byDefault.includes('.')) return { kind: 'named', namespaces: [namespace] };
  return byDefault.includes('*') ? everybody : nobody;
}

export function isVisible(visibility: Visibility, client: string): boolean {
  return visibility.kind === 'public' || visibility.namespaces.includes(client);
}

/**
 * How near to a client something stands that it sees: 0 is its own namespace's, private to it; 1 exported to
 * it by name; 2 for everyone.
 */
export function nearness({ kind }: Visibility, owner: string, client: string): 0 | 1 | 2 {
  if (kind === 'public') return 2;
  return owner === client ? 0 : 1;
}
