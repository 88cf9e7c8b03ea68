// A process that runs one embedded proxy after the other: most of a proxy's start is the start of Node, and
// there are hundreds of cases.
import { readBootstrap, startProxy } from '../../../src/proxy/index.ts';
import type { HostReply, HostRequest } from './hosted-proxy.ts';

let stop: (() => Promise<void>) | undefined;

const reply = (message: HostReply): void => void process.send?.(message);

process.on('message', (request: HostRequest) => {
  void carryOut(request).catch((error: unknown) => {
    reply({ kind: 'log', line: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    process.exit(1);
  });
});
// The agent is gone: so is the reason to be here.
process.on('disconnect', () => process.exit(0));

async function carryOut(request: HostRequest): Promise<void> {
  if (request.kind === 'stop') {
    await stop?.();
    stop = undefined;
    reply({ kind: 'stopped' });
    return;
  }
  const { bootstrap, drainMs, isVerbose } = request;
  const proxy = await startProxy(readBootstrap(JSON.stringify(bootstrap)), {
    drainMs,
    log: (level, line) => {
      if (isVerbose || level === 'warn') reply({ kind: 'log', line: `${level} ${line}` });
    },
  });
  stop = () => proxy.stop();
}
