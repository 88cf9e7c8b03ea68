// What the gateways of an audience listen on, for all kinds of resources that follow from it.
import { deepEqual, type Family, type MemoEngine } from '../../base/index.ts';
import type { Audience, GatewayPort, GatewayTarget, Mesh } from '../../mesh/index.ts';

export type GatewayPorts = Family<
  [audience: Audience, targets: readonly GatewayTarget[]],
  readonly GatewayPort[]
>;

export function gatewayPorts(engine: MemoEngine, mesh: Mesh): GatewayPorts {
  return engine.family(
    'gatewayPorts',
    (audience, targets) => mesh.gatewayPorts(audience, targets),
    deepEqual,
  );
}
