// Filters that are accepted and do nothing here: what they do changes no answer.

/** Why it may be left out, by what its name or the type of its message holds. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/grpc_?stats/i, 'counts gRPC calls'],
  [/istio[._]stats|stats\.PluginConfig|stackdriver/i, 'counts and labels requests'],
  [/metadata_exchange|peer_metadata/i, 'tells peers about each other, for statistics'],
  [/istio\.alpn|filter\.http\.alpn/i, 'sets what the handshake offers; the transport socket says that here'],
  [/access_log/i, 'reports requests'],
  [/health_check_stub/i, 'stands for a health check of its own'],
  [/\.http\.dynamic_forward_proxy\./, 'looks names up beforehand; clusters do that by themselves here'],
];

/** Undefined for a filter that would have an effect. */
export function reasonToLeaveOut(name: string, type: string | undefined): string | undefined {
  return reasons.find(([pattern]) => pattern.test(name) || pattern.test(type ?? ''))?.[1];
}
