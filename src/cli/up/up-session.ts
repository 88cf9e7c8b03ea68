// One run of `meltemi up`: the folder, the processes it describes, their proxies, and the control plane that
// ties them together.
import { basename } from 'node:path';
import { deepEqual, type Issue, type Origin } from '../../base/index.ts';
import type { AnyConfig, Kind, ObjectOfKind } from '../../config/index.ts';
import type { ConfigUpdate, FileSource, ResourceId } from '../../sources/index.ts';
import { FindingLog } from '../finding-log.ts';
import { standingLines } from '../standing.ts';
import type { ApplicationEnd } from './application.ts';
import type { ChangeFacts, Console, ProcessFacts } from './console.ts';
import type { Control } from './control.ts';
import type { Guard } from './guard.ts';
import type { Ingress } from './ingress.ts';
import { meshObjects } from './mesh-objects.ts';
import type { Ports } from './ports.ts';
import { requestsToTry } from './requests-to-try.ts';
import { folderSource, processSource } from './source-ids.ts';
import { Workload, type WorkloadEvents } from './workload.ts';
import { type WorkloadPlan, workloadPlans } from './workload-plan.ts';

export interface UpOptions {
  readonly folder: string;
  readonly version: string;
  readonly host: string;
  readonly logs: boolean;
  readonly source: FileSource;
  readonly ports: Ports;
  readonly guard: Guard;
  readonly console: Console;
  readonly makeIngress: (
    start: (labels: Readonly<Record<string, string>>) => ReturnType<Control['startGateway']>,
  ) => Ingress;
}

const patienceMs = 15_000;

export class UpSession {
  readonly #options: UpOptions;
  readonly #inForce = new Map<string, AnyConfig>();
  readonly #workloads = new Map<string, Workload>();
  readonly #ingress: Ingress;
  #control: Control | undefined;
  /** Workloads that were started while the mesh runs and do not serve yet. */
  readonly #joining = new Set<Workload>();
  #synthesized = new Map<string, AnyConfig>();
  readonly #findings = new FindingLog();
  #waiters: (() => void)[] = [];
  /** Updates of the folder are brought into force one after the other. */
  #queue: Promise<void>;
  readonly #started = Promise.withResolvers<void>();
  #stopping = false;

  constructor(options: UpOptions) {
    this.#options = options;
    this.#queue = this.#started.promise;
    this.#ingress = options.makeIngress((labels) => {
      if (!this.#control) throw new Error('the control plane is not there yet');
      return this.#control.startGateway(labels);
    });
  }

  /** Starts the applications of the first load, which may take their time while the control plane starts. */
  async startApplications(first: ConfigUpdate): Promise<void> {
    // Edits made from now on take effect after the start.
    this.#options.source.watch((update) => {
      this.#queue = this.#queue
        .then(() => this.#update(update))
        .catch((error: unknown) => this.#options.console.notice(String(error)));
    });
    this.#remember(first);
    await this.#followProcesses();
  }

  /** Starts everything else, and resolves when the gateway answers. */
  async serve(control: Control, first: ConfigUpdate): Promise<void> {
    this.#control = control;
    await this.#ingress.plan(this.#all('Gateway'));
    this.#report([...first.issues, ...this.#apply(first)]);
    this.#sync();
    await Promise.all([
      this.#ingress.follow(),
      ...[...this.#workloads.values()].map((workload) => this.#startSidecar(workload)),
    ]);
    await this.#untilReady();
    await control.delivered(performance.now());
    this.#printReady();
    this.#started.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#options.source.close();
    await Promise.all(
      [...this.#workloads.values()].map((workload) => workload.stop()).concat(this.#ingress.stop()),
    );
    await this.#control?.close();
  }

  /** Ends the applications at once, for when there is no time left. */
  kill(): void {
    for (const workload of this.#workloads.values()) workload.kill();
  }

  async #update(update: ConfigUpdate): Promise<void> {
    if (this.#stopping) return;
    const since = performance.now();
    const changes = this.#remember(update);
    const processes = await this.#followProcesses();
    await this.#ingress.plan(this.#all('Gateway'));
    const issues = this.#apply(update);
    this.#sync();
    const delivery = this.#control?.delivered(since);
    await this.#ingress.follow();
    this.#report([...update.issues, ...issues]);
    if (delivery && changes.length > 0)
      this.#options.console.changes(
        changes.map((change) => this.#asItStands(change)),
        await delivery,
        processes,
      );
  }

  /** Keeps the folder's resources, and says which of them really differ from before. */
  #remember({ changed, removed }: ConfigUpdate): readonly ChangeFacts[] {
    const gone = removed.flatMap((id) => {
      const before = this.#inForce.get(keyOf(id));
      this.#inForce.delete(keyOf(id));
      return before ? [factsOf(before, 'removed')] : [];
    });
    const edited = changed.flatMap((object) => {
      const key = keyOf({ kind: object.kind, ...object.metadata });
      const before = this.#inForce.get(key);
      this.#inForce.set(key, object);
      if (!before) return [factsOf(object, 'added')];
      const same = deepEqual(before.spec, object.spec) && deepEqual(before.metadata, object.metadata);
      return same ? [] : [factsOf(object, 'changed')];
    });
    return [...gone, ...edited];
  }

  /** A version that waits for something has reached nobody. */
  #asItStands(change: ChangeFacts): ChangeFacts {
    const standing = change.id && this.#control?.pilot.standing(change.id);
    if (standing === 'previous')
      return { ...change, text: `${change.text}, and waits: the version before stays in force` };
    return standing === 'absent'
      ? { ...change, text: `${change.text}, and waits: it is not in force` }
      : change;
  }

  #apply(update: ConfigUpdate): readonly Issue[] {
    const changed = update.changed.map((object) =>
      object.kind === 'Gateway' ? boundTo(object, this.#options.host) : object,
    );
    const issues = this.#control?.pilot.apply({ ...update, changed }, folderSource) ?? [];
    return issues.map((issue) => this.#options.source.place(issue));
  }

  /** Starts and stops workloads as the Processes say. */
  async #followProcesses(): Promise<ProcessFacts> {
    const wanted = new Map(
      this.#all('Process').flatMap((process) =>
        workloadPlans(process).map((plan) => [plan.key, plan] as const),
      ),
    );
    const outdated = [...this.#workloads].filter(([key, { plan }]) => !samePlan(wanted.get(key), plan));
    for (const [key] of outdated) this.#workloads.delete(key);
    if (outdated.length > 0) this.#sync();
    for (const [, workload] of outdated) await workload.stop();
    const started: string[] = [];
    for (const [key, plan] of wanted) {
      if (this.#workloads.has(key) || this.#stopping) continue;
      const workload = await Workload.start(plan, this.#options, this.#events());
      this.#workloads.set(key, workload);
      started.push(plan.name);
      if (this.#control) {
        this.#joining.add(workload);
        this.#sync();
        void this.#startSidecar(workload);
      }
    }
    return { started, stopped: outdated.map(([, { plan }]) => plan.name) };
  }

  async #startSidecar(workload: Workload): Promise<void> {
    const control = this.#control;
    if (control) await workload.startSidecar((plan, ports) => control.startSidecar(plan, ports));
  }

  #events(): WorkloadEvents {
    return {
      changed: (workload) => {
        const since = performance.now();
        this.#sync();
        if (workload.ready && this.#joining.delete(workload)) void this.#announce(workload, since);
        for (const look of this.#waiters) look();
      },
      ended: (workload, end) => this.#noticeEnd(workload, end),
      line: (workload, line) => {
        if (this.#options.logs) this.#options.console.output(workload.plan.name, line);
      },
    };
  }

  /** Of a workload that came while the mesh runs. */
  async #announce({ plan }: Workload, since: number): Promise<void> {
    const delivery = await this.#control?.delivered(since);
    if (delivery && !this.#stopping) this.#options.console.serves(plan.name, delivery);
  }

  #noticeEnd({ plan }: Workload, { reason, lastLines, delayMs }: ApplicationEnd): void {
    if (this.#stopping) return;
    const where = `${basename(plan.origin.file ?? '')}:${plan.origin.line ?? 1}`;
    const details = [
      ...lastLines.map((line) => `| ${line}`),
      `starting it again in ${delayMs / 1000} s; its command is in ${where}: ${plan.command.join(' ')}`,
    ];
    this.#options.console.notice(`${plan.name} ${reason}`, details, { workload: plan.name });
  }

  /** Tells the control plane how the workloads stand. */
  #sync(): void {
    if (!this.#control || this.#stopping) return;
    const objects = meshObjects([...this.#workloads.values()], this.#all('Service'), this.#ingress.gateway);
    const next = new Map(objects.map((object) => [keyOf({ kind: object.kind, ...object.metadata }), object]));
    const changed = [...next]
      .filter(([key, object]) => !deepEqual(object, this.#synthesized.get(key)))
      .map(([, object]) => object);
    const removed = [...this.#synthesized]
      .filter(([key]) => !next.has(key))
      .map(([, { kind, metadata }]) => ({ kind, ...metadata }));
    this.#synthesized = next;
    if (changed.length + removed.length === 0) return;
    this.#control.pilot.apply({ changed, removed, issues: [] }, processSource);
  }

  async #untilReady(): Promise<void> {
    const workloads = [...this.#workloads.values()];
    const allReady = new Promise<void>((resolve) => {
      const look = (): void => {
        if (workloads.every((workload) => workload.ready)) resolve();
      };
      this.#waiters.push(look);
      look();
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), patienceMs);
    });
    const outcome = await Promise.race([Promise.all([allReady, this.#ingress.ready]), late]);
    clearTimeout(timer);
    if (outcome !== 'late') return;
    for (const workload of workloads)
      if (workload.waitsFor)
        this.#options.console.notice(`${workload.plan.name} does not serve yet: ${workload.waitsFor}`);
  }

  #printReady(): void {
    const { folder, version, console, source } = this.#options;
    const port = this.#ingress.targetOf(80) ?? this.#ingress.gateway?.ports[0]?.target;
    const authority = `localhost:${port ?? 0}`;
    const routes = port === undefined ? undefined : this.#control?.gatewayRoutes(port);
    const place = (origin: Origin): Origin =>
      source.place({ code: '', severity: 'info', message: '', origin }).origin;
    const requests = routes ? requestsToTry(routes, { authority, place }) : [];
    console.ready({
      version,
      folder,
      services: this.#all('Service').length,
      workloads: this.#workloads.size,
      pods: [...this.#workloads.values()].map(({ plan, pid }) => ({ name: plan.name, pid })),
      gateways: this.#ingress.gateway ? 1 : 0,
      ms: performance.now(),
      xds: this.#control?.discovery.xds ?? '',
      urls: port === undefined ? [] : [requests[0]?.url ?? `http://${authority}/`],
      requests,
    });
  }

  /** Prints what was not there the last time. */
  #report(issues: readonly Issue[]): void {
    const { fresh, isSolved } = this.#findings.next(issues);
    const { source, console } = this.#options;
    const pilot = this.#control?.pilot;
    if (fresh.length > 0) console.findings(fresh, pilot ? standingLines(fresh, { source, pilot }) : []);
    else if (isSolved) console.notice('all findings are solved');
  }

  #all<K extends Kind>(kind: K): readonly ObjectOfKind<K>[] {
    return [...this.#inForce.values()].filter(
      (object): object is Extract<AnyConfig, { kind: K }> & ObjectOfKind<K> => object.kind === kind,
    );
  }
}

function keyOf({ kind, namespace, name }: ResourceId): string {
  return `${kind}/${namespace}/${name}`;
}

function factsOf({ kind, metadata, origin }: AnyConfig, what: string): ChangeFacts {
  const name =
    metadata.namespace === 'default' || metadata.namespace === ''
      ? metadata.name
      : `${metadata.namespace}/${metadata.name}`;
  const facts = { file: basename(origin.file ?? ''), text: `${kind} ${name} ${what}` };
  // A Process is this program's own matter.
  return what === 'removed' || kind === 'Process'
    ? facts
    : { ...facts, id: { kind, namespace: metadata.namespace, name: metadata.name } };
}

function samePlan(wanted: WorkloadPlan | undefined, running: WorkloadPlan): boolean {
  return (
    wanted !== undefined && deepEqual({ ...wanted, origin: undefined }, { ...running, origin: undefined })
  );
}

/** Everything stays on this machine unless the user says otherwise. */
function boundTo(gateway: ObjectOfKind<'Gateway'>, host: string): ObjectOfKind<'Gateway'> {
  const servers = (gateway.spec.servers ?? []).map((server) => ({ ...server, bind: server.bind || host }));
  return { ...gateway, spec: { ...gateway.spec, servers } };
}
