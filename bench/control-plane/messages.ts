// What the benchmark's processes say to each other. Times are of the machine's monotonic clock, which all
// processes share.
import type { EditKind } from './configuration.ts';

export type Mode = 'sotw' | 'delta';

export interface LoadFigures {
  readonly parseMs: number;
  readonly applyMs: number;
  readonly address: string;
}

export interface EditFigures {
  readonly startMs: number;
  readonly applyMs: number;
}

export interface PilotState {
  readonly cpuMs: number;
  readonly residentMb: number;
  readonly heapMb: number;
  readonly unsettled: number;
  /** Updates brought into force, resources pushed, values computed by name: since the start. */
  readonly applied: number;
  readonly pushed: number;
  readonly recomputed: Readonly<Record<string, number>>;
}

export type ToPilot =
  /** With a folder, the pilot reads and follows it; the configuration is in it already. */
  | { readonly kind: 'load'; readonly services: number; readonly folder?: string }
  | { readonly kind: 'edit'; readonly edit: EditKind; readonly n: number }
  | { readonly kind: 'state' };
export type FromPilot =
  | ({ readonly kind: 'loaded' } & LoadFigures)
  | ({ readonly kind: 'edited' } & EditFigures)
  | ({ readonly kind: 'state' } & PilotState);

export type ToFleet =
  | { readonly kind: 'connect'; readonly address: string; readonly proxies: number; readonly mode: Mode }
  /** From now on, tell when every proxy has received something. */
  | { readonly kind: 'arm' }
  | { readonly kind: 'disarm' };
export type FromFleet =
  | { readonly kind: 'connected'; readonly bytes: number }
  | { readonly kind: 'armed' }
  | { readonly kind: 'received'; readonly lastMs: number; readonly bytes: number }
  | { readonly kind: 'disarmed'; readonly bytes: number };

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
