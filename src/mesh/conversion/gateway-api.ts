// Gateway API objects as Gateways and VirtualServices. https://gateway-api.sigs.k8s.io/
import type { ConfigStore } from '../../registry/index.ts';
import { gatewayServiceAnnotation } from '../gateways.ts';
import { gatewayIndex } from './gateway-api/attachment.ts';
import { isUsable, type ServedGateway, type ServedListener } from './gateway-api/gateways.ts';
import { httpVirtualServices } from './gateway-api/http-virtual-services.ts';
import { l4VirtualServices } from './gateway-api/l4-virtual-services.ts';
import { type Generated, generatedGateway } from './generated.ts';

const gatewayNameLabel = 'gateway.networking.k8s.io/gateway-name';

export function convertGatewayApi(store: ConfigStore): readonly Generated[] {
  const gateways = gatewayIndex(store);
  const listeners = [...gateways.values()].flatMap((gateway) =>
    gateway.listeners.filter(isUsable).map((listener) => listenerGateway(gateway, listener)),
  );
  return [...listeners, ...httpVirtualServices(store, gateways), ...l4VirtualServices(store, gateways)];
}

/** One Gateway a listener, so that routes can be bound to it alone. */
function listenerGateway(gateway: ServedGateway, { listener, internalName, hostname, namespaces, tls }: ServedListener): Generated {
  const { object, services, namesServices } = gateway;
  // A listener that takes no routes still is there; `~` is the namespace of nobody.
  const hosts = (namespaces.length > 0 ? namespaces : ['~']).map((namespace) => `${namespace}/${hostname}`);
  const server = { port: { number: listener.port, protocol: listener.protocol, name: 'default' }, hosts, tls };
  const name = internalName.slice(internalName.indexOf('/') + 1);
  if (namesServices)
    return generatedGateway(object, name, { spec: { servers: [server] }, annotations: { [gatewayServiceAnnotation]: services.join(',') } });
  return generatedGateway(object, name, { spec: { selector: { [gatewayNameLabel]: object.metadata.name }, servers: [server] } });
}
