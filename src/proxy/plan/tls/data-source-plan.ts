// Where bytes of the configuration are: in it, in a file, or in the environment. They are read by who uses them.
import type { DataSource } from '@meltemi/envoy-api/envoy/config/core/v3/base';

export type DataSourcePlan =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'inline'; readonly written: 'bytes' | 'string'; readonly bytes: Uint8Array }
  | { readonly kind: 'environment'; readonly variable: string }
  /** There is a source, and it names nothing. */
  | { readonly kind: 'nothing' };

export function planDataSource(source: DataSource | undefined): DataSourcePlan | undefined {
  if (!source) return undefined;
  const { specifier } = source;
  switch (specifier.case) {
    case 'filename':
      return { kind: 'file', path: specifier.value };
    case 'inlineBytes':
      return { kind: 'inline', written: 'bytes', bytes: new Uint8Array(specifier.value) };
    case 'inlineString':
      return { kind: 'inline', written: 'string', bytes: new TextEncoder().encode(specifier.value) };
    case 'environmentVariable':
      return { kind: 'environment', variable: specifier.value };
    default:
      return { kind: 'nothing' };
  }
}
