// Listeners: of a sidecar those for the services that it reaches, for captured connections and for what it
// serves itself; of a gateway those of its servers.
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { deepEqual, type Origin } from '../../base/index.ts';
import type { Audience, GatewayTarget, Mesh } from '../../mesh/index.ts';
import { nameServer, nameServerListener } from '../dns/name-server.ts';
import { nameTable } from '../dns/name-table.ts';
import type { InboundPlan } from '../inbound-plan.ts';
import { anyAddress } from '../listeners/capture-ports.ts';
import { gatewayListener } from '../listeners/gateway.ts';
import { boundInbound, boundPorts, virtualInbound } from '../listeners/inbound.ts';
import {
  httpProxyListener,
  type OutboundOptions,
  outboundListener,
  virtualOutbound,
} from '../listeners/outbound.ts';
import { outboundPlans } from '../listeners/outbound-plans.ts';
import type { OutboundListenerPlan } from '../listeners/plan.ts';
import { httpProxyRouteName, listenerName } from '../names.ts';
import { madeOf } from '../origins.ts';
import { egressProxyCluster, undeclaredPolicy } from '../routes/sidecar-routes.ts';
import type { ProxyAddress } from '../view.ts';
import {
  type Derivations,
  group,
  groupedKind,
  made,
  type ResourceGroup,
  type ResourceKind,
} from './resource-kind.ts';

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

/** One for each port or address of the services; everything else that a sidecar asks for may become one. */
function outboundListeners({ engine, mesh }: Derivations): ResourceGroup {
  const plans = engine.family(
    'listenerPlans',
    (audience: Audience): ReadonlyMap<string, OutboundListenerPlan> =>
      new Map(outboundPlans(mesh, audience).map((plan) => [plan.name, plan])),
    samePlans,
  );
  const resources = made(
    engine,
    { family: 'outboundListener', schema: ListenerSchema },
    (name, audience: Audience) => {
      const plan = plans.get(audience).get(name);
      return plan && outboundListener(plan, optionsOf(mesh, audience));
    },
  );
  const own = group(resources, {
    names: ({ type, audience }) => {
      if (type === 'router') return [];
      const all = [...plans.get(audience).values()];
      return all.filter((plan) => audience.captured || plan.bound).map(({ name }) => name);
    },
    owns: () => true,
    keyOf: ({ audience }) => [audience],
  });
  return {
    ...own,
    // The services of a port may be thousands: they are looked for when somebody asks.
    message: (view, name) => {
      const listener = own.message(view, name);
      const plan = engine.untracked(() => plans.get(view.audience).get(name));
      if (!listener || !plan) return listener;
      return madeOf(listener, ...engine.untracked(() => portsOn(mesh, view.audience, plan)));
    },
  };
}

/** The ports of services that a listener is for. */
function portsOn(mesh: Mesh, audience: Audience, { address, port }: OutboundListenerPlan): readonly Origin[] {
  const services = mesh.reachableServices(audience);
  const there = services.filter(
    (service) => address === anyAddress || mesh.addressesOf(audience, service).includes(address),
  );
  return there.flatMap(({ ports }) =>
    ports.filter(({ number }) => number === port).map(({ origin }) => origin),
  );
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
  const own = 'virtualOutbound';
  const resources = made(engine, { family: own, schema: ListenerSchema }, (_name, audience: Audience) =>
    virtualOutbound(optionsOf(mesh, audience)),
  );
  return group(resources, {
    names: ({ type, audience }) => (type === 'sidecar' && audience.captured ? [own] : []),
    owns: (name, { type }) => type === 'sidecar' && name === own,
    keyOf: ({ audience }) => [audience],
  });
}

/** Where connections to the application beside a sidecar arrive, captured or bound. */
function inboundListeners({ engine, mesh }: Derivations): ResourceGroup {
  const resources = made(
    engine,
    { family: 'inboundListener', schema: ListenerSchema },
    (name, plan: InboundPlan | undefined) => plan && inboundListener(mesh, plan, name),
  );
  const boundOf = (plan: InboundPlan | undefined): ReadonlyMap<string, unknown> =>
    plan ? boundPorts(plan) : new Map();
  return group(resources, {
    names: ({ inbound, audience }) => [
      ...(inbound && audience.captured ? [inboundCapture] : []),
      ...boundOf(inbound).keys(),
    ],
    owns: (name, { inbound }) =>
      inbound !== undefined && (name === inboundCapture || boundOf(inbound).has(name)),
    keyOf: ({ inbound }) => [inbound],
  });
}

const inboundCapture = 'virtualInbound';

function inboundListener(mesh: Mesh, plan: InboundPlan, name: string): Listener | undefined {
  if (name === inboundCapture) return virtualInbound(plan, mesh.settings);
  const port = boundPorts(plan).get(name);
  return port && boundInbound(port, mesh.settings);
}

function httpProxyListeners({ engine, mesh }: Derivations): ResourceGroup {
  const nameOf = ({ address, port }: ProxyAddress): string => listenerName(address, port);
  const resources = made(
    engine,
    { family: 'httpProxyListener', schema: ListenerSchema },
    (_name, audience: Audience, at: ProxyAddress | undefined) =>
      at && httpProxyListener(at.address, at.port, httpProxyRouteName, optionsOf(mesh, audience)),
  );
  return group(resources, {
    names: ({ httpProxy }) => (httpProxy ? [nameOf(httpProxy)] : []),
    owns: (name, { httpProxy }) => httpProxy !== undefined && name === nameOf(httpProxy),
    keyOf: ({ audience, httpProxy }) => [audience, httpProxy],
  });
}

function nameServerListeners({ engine, mesh }: Derivations): ResourceGroup {
  const resources = made(
    engine,
    { family: 'nameServerListener', schema: ListenerSchema },
    (_name, audience: Audience) => nameServer(nameTable(mesh, audience)),
  );
  return group(resources, {
    names: (view) => (view.nameServer ? [nameServerListener] : []),
    owns: (name, { type }) => type === 'sidecar' && name === nameServerListener,
    keyOf: ({ audience }) => [audience],
  });
}

function gatewayListeners({ engine, mesh, gatewayPorts }: Derivations): ResourceGroup {
  const resources = made(
    engine,
    { family: 'gatewayListener', schema: ListenerSchema },
    (name, audience: Audience, targets: readonly GatewayTarget[]) => {
      const ports = gatewayPorts.get(audience, targets);
      const port = ports.find((candidate) => listenerName(candidate.bind, candidate.port) === name);
      return port && gatewayListener(mesh, audience, port);
    },
  );
  return group(resources, {
    names: ({ type, audience, targets }) =>
      type === 'router'
        ? gatewayPorts.get(audience, targets).map(({ bind, port }) => listenerName(bind, port))
        : [],
    owns: (_name, { type }) => type === 'router',
    keyOf: ({ audience, targets }) => [audience, targets],
  });
}

function optionsOf(mesh: Mesh, audience: Audience): OutboundOptions {
  return {
    mesh,
    undeclared: undeclaredPolicy(mesh, audience),
    egressProxy: egressProxyCluster(mesh, audience),
  };
}
