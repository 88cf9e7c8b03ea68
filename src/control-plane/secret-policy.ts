// Who is given private keys over a stream on which nobody proves who he is. Only what stays on this machine,
// and only gateways or sidecars for which a DestinationRule says so: elsewhere anyone on the way could read
// along, or claim a namespace.
import type { FeedSet } from '../xds/index.ts';

/** `host:port` or `unix:path`. */
export function isLocal(address: string): boolean {
  if (address.startsWith('unix:')) return true;
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

export interface SecretPolicy {
  readonly isAllowed: boolean;
  /** Called when the client first asks for a secret. */
  readonly onAsked: () => void;
}

/** The feeds without secrets, when those are not for the client. */
export function underPolicy(feeds: FeedSet, { isAllowed, onAsked }: SecretPolicy): FeedSet {
  return {
    feed: (type) => {
      if (type === 'secret') onAsked();
      return type === 'secret' && !isAllowed ? undefined : feeds.feed(type);
    },
  };
}
