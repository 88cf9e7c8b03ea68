// Ports that were free a moment ago, below those that the kernel gives to outgoing connections; taken
// together, so that they differ.
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

const [lowest, highest] = [15_100, 32_000];

export async function freePorts(count: number): Promise<readonly number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    const server = createServer();
    const free = await listens(server, port);
    if (!free) continue;
    servers.push(server);
    ports.push(port);
  }
  await Promise.all(
    servers.map((server) => {
      server.close();
      return once(server, 'close');
    }),
  );
  return ports;
}

async function listens(server: Server, port: number): Promise<boolean> {
  server.listen(port, '127.0.0.1');
  return once(server, 'listening').then(
    () => true,
    () => false,
  );
}
