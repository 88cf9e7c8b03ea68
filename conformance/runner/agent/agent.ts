// The process that the runner starts inside a network namespace; it carries out the runner's calls (calls.ts)
// until it is let go.
import type { AgentCalls, CallMessage, ReplyMessage, RunningProxy } from './calls.ts';
import { sendBurst } from './client.ts';
import { Echo } from './echo.ts';
import { HostedProxy } from './hosted-proxy.ts';
import { PilotProcess } from './pilot-process.ts';
import { ProxyProcess } from './proxy-process.ts';
import { readAdmin } from './readiness.ts';

interface Stoppable {
  stop(): Promise<void>;
}

let echo: Echo | undefined;
let pilot: Stoppable | undefined;
let proxy: RunningProxy | undefined;
let secrets: { use(secrets: Parameters<AgentCalls['serveSecrets']>[0]): void } | undefined;

const calls: AgentCalls = {
  startEcho: async (spec) => {
    echo = await Echo.start(spec);
  },
  resetHits: async () => echo?.reset(),
  takeHits: async () => echo?.take() ?? [],
  stopEcho: async () => {
    await echo?.stop();
    echo = undefined;
  },
  send: sendBurst,
  serveSecrets: async (given) => {
    secrets ??= await (await import('./secret-server.ts')).startSecretServer();
    secrets.use(given);
  },
  // Loaded on demand: only one of the three agents of a mesh has a pilot.
  startPilot: async (spec) => {
    const started = await (await import('./pilot-in-process.ts')).startPilot(spec);
    pilot = started;
    return started.refusals;
  },
  startRecorded: async (json) => {
    pilot = await (await import('./recorded-server.ts')).startRecordedServer(json);
  },
  startPilotCommand: async (args, documents) => {
    const started = new PilotProcess(args);
    pilot = started;
    return started.ready(documents);
  },
  stopPilot: async () => {
    await pilot?.stop();
    pilot = undefined;
  },
  startProxy: async (spec) => {
    proxy = spec.kind === 'command' ? new ProxyProcess(spec) : new HostedProxy(spec);
  },
  awaitProxy: async (timeoutMs) => (proxy ? proxy.ready(timeoutMs) : { isReady: false, log: 'not started' }),
  stopProxy: async () => {
    const log = (await proxy?.stop()) ?? '';
    proxy = undefined;
    return log;
  },
  admin: readAdmin,
};

process.on('message', (message: CallMessage) => {
  const reply = (answer: ReplyMessage): void => void process.send?.(answer);
  const call = calls[message.name] as (...args: readonly unknown[]) => Promise<unknown>;
  call(...message.args).then(
    (value) => reply({ id: message.id, value }),
    (error: unknown) =>
      reply({
        id: message.id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
  );
});
// The runner is gone: so is the reason to be here.
process.on(
  'disconnect',
  () => void Promise.allSettled([proxy?.stop(), pilot?.stop()]).then(() => process.exit(0)),
);
