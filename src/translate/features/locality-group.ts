import type { Endpoint } from '../../registry/index.ts';

export interface LocalityGroup {
  readonly locality: string;
  readonly priority: number;
  readonly weight: number;
  readonly endpoints: readonly Endpoint[];
}

export function weightOf(endpoint: Endpoint): number {
  return endpoint.weight || 1;
}
