// A running workload: its application, and once the control plane is there its sidecar. It serves when both
// do.
import { getCompileCacheDir } from 'node:module';
import type { RunningProxy } from '../../proxy/index.ts';
import { Application, type ApplicationEnd } from './application.ts';
import type { Guard } from './guard.ts';
import type { MeshWorkload } from './mesh-objects.ts';
import type { Ports } from './ports.ts';
import type { SidecarPorts } from './proxy-bootstrap.ts';
import type { WorkloadPlan } from './workload-plan.ts';

export interface WorkloadEvents {
  /** It began or ceased to serve. */
  readonly changed: (workload: Workload) => void;
  readonly ended: (workload: Workload, end: ApplicationEnd) => void;
  readonly line: (workload: Workload, line: string) => void;
}

/** What every workload of a run draws on. */
export interface WorkloadMeans {
  readonly ports: Ports;
  readonly guard: Guard;
}

export type StartSidecar = (plan: WorkloadPlan, ports: SidecarPorts) => Promise<RunningProxy>;

export class Workload implements MeshWorkload {
  readonly plan: WorkloadPlan;
  readonly listenPorts: ReadonlyMap<number, number>;
  readonly #ports: Ports;
  readonly #sidecarPorts: SidecarPorts;
  readonly #application: Application;
  readonly #events: WorkloadEvents;
  #sidecar: RunningProxy | undefined;
  #applicationReady = false;
  #sidecarReady = false;
  #stopped = false;

  private constructor(
    plan: WorkloadPlan,
    means: WorkloadMeans,
    numbers: readonly PortNumbers[],
    httpProxy: number,
    events: WorkloadEvents,
  ) {
    this.plan = plan;
    this.#ports = means.ports;
    this.#events = events;
    this.listenPorts = new Map(numbers.map(({ declared, listen }) => [declared, listen]));
    this.#sidecarPorts = {
      applications: new Map(numbers.map(({ listen, application }) => [listen, application])),
      httpProxy,
    };
    this.#application = new Application({
      command: plan.command,
      workingDir: plan.workingDir,
      env: environment(plan, numbers, httpProxy),
      ports: numbers.map(({ application }) => application),
      onReady: () => this.#set({ application: true }),
      onEnd: (end) => {
        this.#set({ application: false });
        events.ended(this, end);
      },
      onLine: (line) => events.line(this, line),
      guard: means.guard,
    });
  }

  /** Starts the application; the sidecar follows by `startSidecar`. */
  static async start(plan: WorkloadPlan, means: WorkloadMeans, events: WorkloadEvents): Promise<Workload> {
    const { ports } = means;
    const numbers: PortNumbers[] = [];
    for (const { port, name } of plan.ports)
      numbers.push({ declared: port, name, listen: await ports.free(), application: await ports.free() });
    const workload = new Workload(plan, means, numbers, await ports.free(), events);
    workload.#application.start();
    return workload;
  }

  async startSidecar(start: StartSidecar): Promise<void> {
    const sidecar = await start(this.plan, this.#sidecarPorts);
    this.#sidecar = sidecar;
    if (this.#stopped) await sidecar.stop();
    else void sidecar.ready.then(() => this.#set({ sidecar: true }));
  }

  get ready(): boolean {
    return this.#applicationReady && this.#sidecarReady && !this.#stopped;
  }

  /** What it still waits for, in words; undefined when it serves. */
  get waitsFor(): string | undefined {
    if (this.ready) return undefined;
    if (this.#applicationReady) return 'its sidecar is not configured yet';
    const ports = [...this.#sidecarPorts.applications.values()].join(' and ');
    return `does not accept connections on 127.0.0.1:${ports} yet (is it listening on the port in the variable PORT?)`;
  }

  get pid(): number | undefined {
    return this.#application.pid;
  }

  /** Takes it out of service first, so that requests go elsewhere. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#application.stop(), this.#sidecar?.stop()]);
    for (const [listen, application] of this.#sidecarPorts.applications) {
      this.#ports.giveBack(listen);
      this.#ports.giveBack(application);
    }
    this.#ports.giveBack(this.#sidecarPorts.httpProxy);
  }

  kill(): void {
    this.#application.kill();
  }

  #set(state: { readonly application?: boolean; readonly sidecar?: boolean }): void {
    const before = this.ready;
    this.#applicationReady = state.application ?? this.#applicationReady;
    this.#sidecarReady = state.sidecar ?? this.#sidecarReady;
    if (this.ready !== before) this.#events.changed(this);
  }
}

interface PortNumbers {
  readonly declared: number;
  readonly name: string;
  readonly listen: number;
  readonly application: number;
}

function environment(
  plan: WorkloadPlan,
  numbers: readonly PortNumbers[],
  httpProxy: number,
): Readonly<Record<string, string>> {
  const proxy = `http://127.0.0.1:${httpProxy}`;
  const local = 'localhost,127.0.0.1,::1';
  const named = numbers.flatMap(({ name, application }) =>
    name ? [[`PORT_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`, String(application)] as const] : [],
  );
  const cache = getCompileCacheDir();
  return {
    ...(cache ? { NODE_COMPILE_CACHE: cache } : {}),
    ...(numbers[0] ? { PORT: String(numbers[0].application) } : {}),
    ...Object.fromEntries(named),
    HTTP_PROXY: proxy,
    http_proxy: proxy,
    NO_PROXY: local,
    no_proxy: local,
    NODE_USE_ENV_PROXY: '1',
    POD_NAME: plan.name,
    POD_NAMESPACE: plan.namespace,
    SERVICE_ACCOUNT: plan.serviceAccount,
    ...plan.env,
  };
}
