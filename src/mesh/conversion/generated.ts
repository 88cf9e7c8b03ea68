// Objects made from those of other APIs. They live beside what users wrote, under names that users cannot
// write.
import type { DestinationRule, IstioGateway, VirtualService } from '../../config/index.ts';
import type { ObjectOf } from '../../registry/index.ts';

export type Generated = ObjectOf<'VirtualService'> | ObjectOf<'Gateway'> | ObjectOf<'DestinationRule'>;

/** Whose rules of matching hold: Istio's own, or those of the API that a VirtualService was made from. */
export type RouteSemantics = 'istio' | 'ingress' | 'gateway';

export const routeSemanticsAnnotation = 'internal.istio.io/route-semantics';

/** A `credentialName` that means the certificate which the mesh gave the proxy itself. */
export const workloadCredential = 'builtin://';

/** Users cannot write such a name. */
export function isGeneratedName(name: string): boolean {
  return name.includes('~');
}

interface Maker {
  readonly metadata: ObjectOf<'Ingress'>['metadata'];
  readonly origin: ObjectOf<'Ingress'>['origin'];
}

export function generatedVirtualService(
  from: Maker,
  name: string,
  semantics: RouteSemantics,
  spec: VirtualService,
): ObjectOf<'VirtualService'> {
  return {
    kind: 'VirtualService',
    apiVersion: 'networking.istio.io/v1',
    metadata: { ...from.metadata, name, labels: {}, annotations: { [routeSemanticsAnnotation]: semantics } },
    spec,
    origin: from.origin,
  };
}

export function generatedDestinationRule(
  from: Maker,
  name: string,
  spec: DestinationRule,
): ObjectOf<'DestinationRule'> {
  return {
    kind: 'DestinationRule',
    apiVersion: 'networking.istio.io/v1',
    metadata: { ...from.metadata, name, labels: {}, annotations: {} },
    spec,
    origin: from.origin,
  };
}

interface GatewayParts {
  readonly spec: IstioGateway;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function generatedGateway(
  from: Maker,
  name: string,
  { spec, namespace = from.metadata.namespace, annotations = {} }: GatewayParts,
): ObjectOf<'Gateway'> {
  return {
    kind: 'Gateway',
    apiVersion: 'networking.istio.io/v1',
    metadata: { ...from.metadata, name, namespace, labels: {}, annotations },
    spec,
    origin: from.origin,
  };
}
