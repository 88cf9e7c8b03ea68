// What statistics call a cluster: MeshConfig `inboundClusterStatName` and `outboundClusterStatName`.
// https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig
export interface StatSubject {
  readonly hostname: string;
  readonly port: number;
  readonly portName: string;
  readonly targetPort?: number;
  readonly subset?: string;
}

/** The text before `;` is the name as a whole, whatever dots are in it. */
export function clusterStatName(
  pattern: string | undefined,
  clusterName: string,
  subject: StatSubject,
  domain: string,
): string {
  return `${pattern ? filledIn(pattern, subject, domain) : clusterName};`;
}

function filledIn(
  pattern: string,
  { hostname, port, portName, targetPort, subset = '' }: StatSubject,
  domain: string,
): string {
  const suffix = `.svc.${domain}`;
  const values: Readonly<Record<string, string>> = {
    SERVICE: hostname.endsWith(suffix) ? hostname.slice(0, -suffix.length) : hostname,
    SERVICE_FQDN: hostname,
    SERVICE_PORT: String(port),
    SERVICE_PORT_NAME: portName,
    TARGET_PORT: String(targetPort ?? port),
    SUBSET_NAME: subset,
  };
  return pattern.replace(/%([A-Z_]+)%/g, (whole, name: string) => values[name] ?? whole);
}
