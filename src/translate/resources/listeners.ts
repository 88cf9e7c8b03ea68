// Listeners: of a sidecar those for the services that it reaches, for captured connections and for what it
// serves itself; of a gateway those of its servers.
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { deepEqual } from '../../base/index.ts';
import type { Audience, GatewayTarget, Mesh } from '../../mesh/index.ts';
import { nameServer, nameServerListener } from '../dns/name-server.ts';
import { nameTable } from '../dns/name-table.ts';
import { type EncodedResource, encodeResource, sameResource } from '../encoded-resource.ts';
import { gatewayListener } from '../listeners/gateway.ts';
import { boundInbound, boundPorts, virtualInbound } from '../listeners/inbound.ts';
import type { InboundPlan } from '../listeners/inbound-plan.ts';
import {
  httpProxyListener,
  type OutboundOptions,
  outboundListener,
  virtualOutbound,
} from '../listeners/outbound.ts';
import { outboundPlans } from '../listeners/outbound-plans.ts';
import type { OutboundListenerPlan } from '../listeners/plan.ts';
import { httpProxyRouteName, listenerName } from '../names.ts';
import { egressProxyCluster, undeclaredPolicy } from '../routes/sidecar-routes.ts';
import type { ProxyAddress } from '../view.ts';
import { type Derivations, groupedKind, type ResourceGroup, type ResourceKind } from './resource-kind.ts';

export function listeners(from: Derivations): ResourceKind {
  return groupedKind(from, 'listener', [
    outboundListeners(from),
    captureListener(from),
    inboundListeners(from),
    httpProxyListeners(from),
    nameServerListeners(from),
    gatewayListeners(from),
  ]);
}

/** One for each port or address of the services; everything else that a sidecar is asked for may become one. */
function outboundListeners({ engine, mesh }: Derivations): ResourceGroup {
  const plans = engine.family(
    'listenerPlans',
    (audience: Audience): ReadonlyMap<string, OutboundListenerPlan> =>
      new Map(outboundPlans(mesh, audience).map((plan) => [plan.name, plan])),
    samePlans,
  );
  const resources = engine.family(
    'outboundListener',
    (audience: Audience, name: string) => {
      const plan = plans.get(audience).get(name);
      return encodedListener(name, plan && outboundListener(plan, optionsOf(mesh, audience)));
    },
    sameResource,
  );
  return {
    names: ({ type, audience }) => {
      if (type === 'router') return [];
      const all = [...plans.get(audience).values()];
      return all.filter((plan) => audience.captured || plan.bound).map(({ name }) => name);
    },
    owns: () => true,
    resource: ({ audience }, name) => resources.at(audience, name),
  };
}

/** In this order, since that is the order in which they are listed. */
function samePlans(
  a: ReadonlyMap<string, OutboundListenerPlan>,
  b: ReadonlyMap<string, OutboundListenerPlan>,
): boolean {
  return deepEqual([...a.values()], [...b.values()]);
}

/** Where captured connections arrive on their way out. */
function captureListener({ engine, mesh }: Derivations): ResourceGroup {
  const name = 'virtualOutbound';
  const resources = engine.family(
    name,
    (audience: Audience) => encodedListener(name, virtualOutbound(optionsOf(mesh, audience))),
    sameResource,
  );
  return {
    names: ({ type, audience }) => (type === 'sidecar' && audience.captured ? [name] : []),
    owns: (wanted, { type }) => type === 'sidecar' && wanted === name,
    resource: ({ audience }) => resources.at(audience),
  };
}

/** Where connections to the application beside a sidecar arrive, captured or bound. */
function inboundListeners({ engine, mesh }: Derivations): ResourceGroup {
  const capture = 'virtualInbound';
  const resources = engine.family(
    'inboundListener',
    (plan: InboundPlan | undefined, name: string) =>
      encodedListener(name, plan && inboundListener(mesh, plan, name)),
    sameResource,
  );
  const boundOf = (plan: InboundPlan | undefined): ReadonlyMap<string, unknown> =>
    plan ? boundPorts(plan) : new Map();
  return {
    names: ({ inbound, audience }) => [
      ...(inbound && audience.captured ? [capture] : []),
      ...boundOf(inbound).keys(),
    ],
    owns: (name, { inbound }) => inbound !== undefined && (name === capture || boundOf(inbound).has(name)),
    resource: ({ inbound }, name) => resources.at(inbound, name),
  };
}

function inboundListener(mesh: Mesh, plan: InboundPlan, name: string): Listener | undefined {
  if (name === 'virtualInbound') return virtualInbound(plan, mesh.settings);
  const port = boundPorts(plan).get(name);
  return port && boundInbound(port, mesh.settings);
}

function httpProxyListeners({ engine, mesh }: Derivations): ResourceGroup {
  const nameOf = ({ address, port }: ProxyAddress): string => listenerName(address, port);
  const resources = engine.family(
    'httpProxyListener',
    (audience: Audience, at: ProxyAddress | undefined, name: string) =>
      encodedListener(
        name,
        at && httpProxyListener(at.address, at.port, httpProxyRouteName, optionsOf(mesh, audience)),
      ),
    sameResource,
  );
  return {
    names: ({ httpProxy }) => (httpProxy ? [nameOf(httpProxy)] : []),
    owns: (name, { httpProxy }) => httpProxy !== undefined && name === nameOf(httpProxy),
    resource: ({ audience, httpProxy }, name) => resources.at(audience, httpProxy, name),
  };
}

function nameServerListeners({ engine, mesh }: Derivations): ResourceGroup {
  const resources = engine.family(
    'nameServerListener',
    (audience: Audience) => encodedListener(nameServerListener, nameServer(nameTable(mesh, audience))),
    sameResource,
  );
  return {
    names: (view) => (view.nameServer ? [nameServerListener] : []),
    owns: (name, { type }) => type === 'sidecar' && name === nameServerListener,
    resource: ({ audience }) => resources.at(audience),
  };
}

function gatewayListeners({ engine, mesh, gatewayPorts }: Derivations): ResourceGroup {
  const resources = engine.family(
    'gatewayListener',
    (audience: Audience, targets: readonly GatewayTarget[], name: string) => {
      const ports = gatewayPorts.get(audience, targets);
      const port = ports.find((candidate) => listenerName(candidate.bind, candidate.port) === name);
      return encodedListener(name, port && gatewayListener(mesh, audience, port));
    },
    sameResource,
  );
  return {
    names: ({ type, audience, targets }) =>
      type === 'router'
        ? gatewayPorts.get(audience, targets).map(({ bind, port }) => listenerName(bind, port))
        : [],
    owns: (_name, { type }) => type === 'router',
    resource: ({ audience, targets }, name) => resources.at(audience, targets, name),
  };
}

function optionsOf(mesh: Mesh, audience: Audience): OutboundOptions {
  return {
    mesh,
    undeclared: undeclaredPolicy(mesh, audience),
    egressProxy: egressProxyCluster(mesh, audience),
  };
}

function encodedListener(name: string, listener: Listener | undefined): EncodedResource | undefined {
  return listener && encodeResource(ListenerSchema, name, listener);
}
