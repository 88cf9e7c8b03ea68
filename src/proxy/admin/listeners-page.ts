// The listeners in force, and where they listen.

import { formatAddress } from '../codec/address.ts';
import type { ListenerSet } from '../downstream/listener/listener-set.ts';
import { json, type Page } from './page.ts';

export const listenersPage: Page = {
  path: '/listeners',
  answer: ({ listeners }, query) =>
    query.get('format') === 'json'
      ? json({ listener_statuses: [...listeners.active()].map(statusOf) })
      : { body: textOf(listeners) },
};

function textOf(listeners: ListenerSet): string {
  return [...listeners.active()]
    .filter((one) => one.bind)
    .map((one) => `${one.name}::${formatAddress(one.address.ip, one.address.port)}\n`)
    .join('');
}

function statusOf(one: { name: string; address: { ip: string; port: number } }): unknown {
  return {
    name: one.name,
    local_address: { socket_address: { address: one.address.ip, port_value: one.address.port } },
  };
}
