// Reads what a data source stands for.
import { readFileSync } from 'node:fs';
import { unreachable } from '../../base/index.ts';
import type { DataSourcePlan } from '../plan/tls/data-source-plan.ts';

export type SourceRead =
  | { readonly kind: 'absent' }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Something is named and cannot be had, or is empty. */
  | { readonly kind: 'problem'; readonly problem: string };

export type ReadSource = (source: DataSourcePlan | undefined) => SourceRead;

export function readSource(source: DataSourcePlan | undefined): SourceRead {
  switch (source?.kind) {
    case undefined:
    case 'nothing':
      return { kind: 'absent' };
    case 'file':
      return readFile(source.path);
    case 'inline':
      return notEmpty(Buffer.from(source.bytes), `inline ${source.written}`);
    case 'environment':
      return notEmpty(
        Buffer.from(process.env[source.variable] ?? ''),
        `environment variable ${source.variable}`,
      );
    default:
      return unreachable(source);
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
