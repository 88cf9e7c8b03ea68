// Gateway API messages that several of its kinds use: https://gateway-api.sigs.k8s.io/reference/spec/
import { type Infer, int32, list, message, required, string } from '../../schema/index.ts';

export const open = { open: true } as const;

export const ParentReference = message(
  'ParentReference',
  { group: string, kind: string, namespace: string, name: required(string), sectionName: string, port: int32 },
  open,
);
export type ParentReference = Infer<typeof ParentReference>;

export const BackendObjectReference = message(
  'BackendObjectReference',
  { group: string, kind: string, name: required(string), namespace: string, port: int32 },
  open,
);
export type BackendObjectReference = Infer<typeof BackendObjectReference>;

export const NamedMatch = message('NamedMatch', { type: string, name: required(string), value: string }, open);
export type NamedMatch = Infer<typeof NamedMatch>;

const HTTPHeader = message('HTTPHeader', { name: required(string), value: string }, open);

export const HTTPHeaderFilter = message('HTTPHeaderFilter', { set: list(HTTPHeader), add: list(HTTPHeader), remove: list(string) }, open);
export type HTTPHeaderFilter = Infer<typeof HTTPHeaderFilter>;

export const RequestMirrorFilter = message(
  'HTTPRequestMirrorFilter',
  { backendRef: BackendObjectReference, percent: int32, fraction: message('Fraction', { numerator: int32, denominator: int32 }, open) },
  open,
);
export type RequestMirrorFilter = Infer<typeof RequestMirrorFilter>;

export const ExtensionRef = message('LocalObjectReference', { group: string, kind: string, name: required(string) }, open);
