// Gateway API objects as Gateways, VirtualServices and DestinationRules. https://gateway-api.sigs.k8s.io/
import type { ConfigStore } from '../../registry/index.ts';
import { gatewayServiceAnnotation, parentNamespaceAnnotation } from '../gateways.ts';
import { gatewayIndex } from './gateway-api/attachment.ts';
import { backendTlsRules } from './gateway-api/backend-tls-policies.ts';
import { allListeners, isUsable, type ServedGateway, type ServedListener } from './gateway-api/gateways.ts';
import { httpVirtualServices } from './gateway-api/http-virtual-services.ts';
import { l4VirtualServices } from './gateway-api/l4-virtual-services.ts';
import { type Generated, generatedGateway } from './generated.ts';

const gatewayNameLabel = 'gateway.networking.k8s.io/gateway-name';

type GatewayIndex = ReturnType<typeof gatewayIndex>;

/** What becomes of the objects, part by part: none needs what another makes. */
export const gatewayApiParts: readonly ((
  store: ConfigStore,
  gateways: GatewayIndex,
) => readonly Generated[])[] = [
  listenerGateways,
  httpVirtualServices,
  l4VirtualServices,
  (store) => backendTlsRules(store),
];

export function convertGatewayApi(store: ConfigStore): readonly Generated[] {
  const gateways = gatewayIndex(store);
  return gatewayApiParts.flatMap((part) => part(store, gateways));
}

function listenerGateways(_store: ConfigStore, { gateways }: GatewayIndex): readonly Generated[] {
  return [...gateways.values()].flatMap((gateway) =>
    allListeners(gateway)
      .filter(isUsable)
      .map((listener) => listenerGateway(gateway, listener)),
  );
}

/** One Gateway a listener, so that routes can be bound to it alone. */
function listenerGateway(
  gateway: ServedGateway,
  { owner, listener, internalName, hostname, namespaces, tls }: ServedListener,
): Generated {
  const { object, services, namesServices } = gateway;
  // A listener that takes no routes still is there; `~` is the namespace of nobody.
  const hosts = (namespaces.length > 0 ? namespaces : ['~']).map((namespace) => `${namespace}/${hostname}`);
  const servers = [
    { port: { number: listener.port, protocol: listener.protocol, name: 'default' }, hosts, tls },
  ];
  const name = internalName.slice(internalName.indexOf('/') + 1);
  const home = { [parentNamespaceAnnotation]: object.metadata.namespace };
  if (namesServices)
    return generatedGateway(owner, name, {
      spec: { servers },
      annotations: { ...home, [gatewayServiceAnnotation]: services.join(',') },
    });
  return generatedGateway(owner, name, {
    spec: { selector: { [gatewayNameLabel]: object.metadata.name }, servers },
    annotations: home,
  });
}
