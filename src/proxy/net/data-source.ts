// Bytes that configuration holds itself or names the place of.
import { readFileSync } from 'node:fs';
import type { DataSource } from '@meltemi/envoy-api/envoy/config/core/v3/base';

export type SourceRead =
  | { readonly kind: 'absent' }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Something is named and cannot be had, or is empty. */
  | { readonly kind: 'problem'; readonly problem: string };

export type ReadSource = (source: DataSource | undefined) => SourceRead;

export function readSource(source: DataSource | undefined): SourceRead {
  const specifier = source?.specifier;
  switch (specifier?.case) {
    case 'filename':
      return readFile(specifier.value);
    case 'inlineBytes':
      return notEmpty(Buffer.from(specifier.value), 'inline bytes');
    case 'inlineString':
      return notEmpty(Buffer.from(specifier.value), 'inline string');
    case 'environmentVariable':
      return notEmpty(
        Buffer.from(process.env[specifier.value] ?? ''),
        `environment variable ${specifier.value}`,
      );
    default:
      return { kind: 'absent' };
  }
}

function readFile(name: string): SourceRead {
  try {
    return notEmpty(readFileSync(name), name);
  } catch (error) {
    return {
      kind: 'problem',
      problem: `${name} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    };
  }
}

function notEmpty(bytes: Buffer, what: string): SourceRead {
  return bytes.toString('latin1').trim() === ''
    ? { kind: 'problem', problem: `${what} is empty` }
    : { kind: 'bytes', bytes };
}
