// Reads an Envoy bootstrap, in protobuf's JSON with either spelling of field names; what this proxy has no
// use for is passed over.
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { type Bootstrap, BootstrapSchema } from '@meltemi/envoy-api/envoy/config/bootstrap/v3/bootstrap';
import { knownTypes } from './known-types.ts';

export type { Bootstrap };

/** Throws with a text for people when the file is not a bootstrap. */
export function readBootstrap(text: string): Bootstrap {
  const json: unknown = JSON.parse(text);
  return fromJson(BootstrapSchema, withoutUnknownTypes(json), {
    registry: knownTypes,
    ignoreUnknownFields: true,
  });
}

/**
 * Extensions of kinds not known here (sinks, tracers, sandboxes) are left out: none of them decides where
 * traffic goes.
 */
function withoutUnknownTypes(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(withoutUnknownTypes);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  const type = (value as Record<string, unknown>)['@type'];
  if (typeof type === 'string' && !knownTypes.getMessage(type.slice(type.lastIndexOf('/') + 1))) return {};
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutUnknownTypes(inner)]));
}
