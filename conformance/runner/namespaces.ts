// Two linked network namespaces for a worker: in one the client and its proxy, with capture; in the other
// everything else, at every private address.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientAddress, serverAddress } from './addresses.ts';
import { proxyUser } from './engine.ts';
import { CannotRun } from './environment.ts';

export interface Namespaces {
  readonly client: string;
  readonly server: string;
}

const resolvers = '/etc/netns';
const serverNetworks = ['10.0.0.0/8', '172.16.0.0/12', '240.240.0.0/16'];
const outboundPort = 15001;
const inboundPort = 15006;

/** `name` is at most ten characters: interfaces are named after it. */
export function createNamespaces(name: string): Namespaces {
  const spaces = { client: `${name}-c`, server: `${name}-s` };
  try {
    connect(spaces, { client: `${name}-vc`, server: `${name}-vs` });
    capture(spaces.client);
    return spaces;
  } catch (error) {
    removeNamespaces(spaces);
    throw error;
  }
}

/** Ends every process in the namespaces and removes them. */
export function removeNamespaces(spaces: Namespaces): void {
  endProcesses(spaces);
  for (const space of [spaces.client, spaces.server]) {
    spawnSync('ip', ['netns', 'del', space], { stdio: 'ignore' });
    rmSync(join(resolvers, space), { recursive: true, force: true });
  }
}

export function endProcesses({ client, server }: Namespaces): void {
  for (const space of [client, server]) {
    const pids = spawnSync('ip', ['netns', 'pids', space], { encoding: 'utf8' }).stdout ?? '';
    for (const pid of pids.split('\n').filter((line) => line !== '')) endProcess(Number(pid));
  }
}

function connect(spaces: Namespaces, links: Namespaces): void {
  for (const space of [spaces.client, spaces.server]) ip(`netns add ${space}`);
  ip(
    `link add ${links.client} netns ${spaces.client} type veth peer name ${links.server} netns ${spaces.server}`,
  );
  for (const [space, link, address] of [
    [spaces.client, links.client, clientAddress],
    [spaces.server, links.server, serverAddress],
  ] as const) {
    ip(`-n ${space} addr add ${address}/24 dev ${link}`);
    for (const device of ['lo', link]) ip(`-n ${space} link set ${device} up`);
  }
  ip(`-n ${spaces.client} route add default via ${serverAddress}`);
  for (const network of serverNetworks) ip(`-n ${spaces.server} route add local ${network} dev lo`);
  // The proxy binds ports below 1024 without being root.
  ip(`netns exec ${spaces.client} sysctl -qw net.ipv4.ip_unprivileged_port_start=0`);
  mkdirSync(join(resolvers, spaces.client), { recursive: true });
  writeFileSync(join(resolvers, spaces.client, 'resolv.conf'), `nameserver ${serverAddress}\n`);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/**
 * As the mesh's own init container does it:
 * https://istio.io/latest/docs/ops/deployment/application-requirements/
 */
function capture(space: string): void {
  const rules = [
    '-N OUT',
    `-A OUT -m owner --uid-owner ${proxyUser} -j RETURN`,
    `-A OUT -m owner --gid-owner ${proxyUser} -j RETURN`,
    '-A OUT -d 127.0.0.1/32 -j RETURN',
    `-A OUT -d ${clientAddress}/32 -j RETURN`,
    `-A OUT -p tcp -j REDIRECT --to-ports ${outboundPort}`,
    '-A OUTPUT -p tcp -j OUT',
    `-A PREROUTING -p tcp -j REDIRECT --to-ports ${inboundPort}`,
  ];
  for (const rule of rules) ip(`netns exec ${space} iptables -w -t nat ${rule}`);
}

function ip(args: string): void {
  const { status, stderr, error } = spawnSync('ip', args.split(' '), { encoding: 'utf8' });
  if (status !== 0) throw new CannotRun(`ip ${args}: ${error?.message ?? stderr.trim()}`);
}
