// The secret service that stands beside proxies (`sds-grpc`): each proxy gets the certificate of its own
// identity, and the mesh's roots.
import { getCACertificates } from 'node:tls';
import { create } from '@bufbuild/protobuf';
import {
  type Secret,
  SecretSchema,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { type Derived, type Input, MemoEngine } from '../base/index.ts';
import { type KeyPair, spiffeId, type WorkloadCertificates } from '../identity/index.ts';
import { type EncodedResource, encodeResource } from '../translate/index.ts';
import {
  type ConnectionEvents,
  discoveryServices,
  Feed,
  FeedHub,
  type FeedSet,
  type GrpcServer,
  startGrpcServer,
} from '../xds/index.ts';
import { FollowedFiles } from './followed-files.ts';
import { proxyNode } from './proxy-node.ts';

const ownCertificate = 'default';
const roots = 'ROOTCA';

export class SecretService {
  readonly #engine = new MemoEngine();
  readonly #files = new FollowedFiles(this.#engine, () => this.#push());
  readonly #hub = new FeedHub();
  readonly #certificates: WorkloadCertificates;
  readonly #trustDomain: string;
  readonly #onFailed: (error: unknown) => void;
  #readsFiles = false;
  readonly #sessions = new Set<{ flush(): void }>();

  constructor(certificates: WorkloadCertificates, trustDomain: string, onFailed: (error: unknown) => void) {
    this.#certificates = certificates;
    this.#onFailed = onFailed;
    this.#trustDomain = trustDomain;
  }

  /** Files are read for those alone who could read them by themselves: on a socket of the file system. */
  async serve(address: string): Promise<GrpcServer> {
    this.#readsFiles = address.startsWith('unix:');
    const server = await startGrpcServer({
      address,
      services: discoveryServices(() => this.#connection()),
      failed: this.#onFailed,
    });
    return {
      address: server.address,
      close: async () => {
        this.#files.close();
        await server.close();
      },
    };
  }

  #connection(): ConnectionEvents {
    let end = (): void => {};
    return {
      identify: (message, connection) => {
        const node = proxyNode(message);
        if (!node) return undefined;
        const { feeds, stop } = this.#feedsOf(
          spiffeId({
            trustDomain: this.#trustDomain,
            namespace: node.namespace,
            serviceAccount: node.serviceAccount,
          }),
        );
        this.#sessions.add(connection.session);
        end = () => {
          stop();
          this.#sessions.delete(connection.session);
        };
        return feeds;
      },
      acknowledged: () => {},
      refused: () => {},
      failed: this.#onFailed,
      closed: () => end(),
    };
  }

  #feedsOf(identity: string): { readonly feeds: FeedSet; readonly stop: () => void } {
    const pair: Input<KeyPair | undefined> = this.#engine.input<KeyPair | undefined>(undefined);
    const cells = new Map<string, Derived<EncodedResource | undefined>>();
    const feed = new Feed(this.#hub, { type: 'secret', resource: (name) => this.#cell(cells, name, pair) });
    const unfollow = this.#certificates.follow(identity, (next) => {
      pair.set(next);
      this.#push();
    });
    return {
      feeds: { feed: (type) => (type === 'secret' ? feed : undefined) },
      stop: () => {
        unfollow();
        feed.dispose();
        for (const cell of cells.values()) cell.dispose();
      },
    };
  }

  #cell(
    cells: Map<string, Derived<EncodedResource | undefined>>,
    name: string,
    pair: Input<KeyPair | undefined>,
  ): Derived<EncodedResource | undefined> {
    let cell = cells.get(name);
    if (!cell) {
      cell = this.#engine.derive<EncodedResource | undefined>('secret', () => {
        const secret = name.includes(':')
          ? this.#fileSecret(name)
          : secretOf(name, pair.get(), this.#certificates.rootCertificate);
        return secret && encodeResource(SecretSchema, name, secret);
      });
      cells.set(name, cell);
    }
    return cell;
  }

  /**
   * Names as Istio's agent has them: files that a resource names, and the authorities that the machine
   * trusts.
   */
  #fileSecret(name: string): Secret | undefined {
    if (name === systemRoots) return validation(name, machineRoots());
    return this.#readsFiles ? fileSecret(name, (path) => this.#files.text(path)) : undefined;
  }

  #push(): void {
    this.#hub.process(this.#engine.takeTouched());
    for (const session of this.#sessions) session.flush();
  }
}

const systemRoots = 'file-root:system';
const fileRoots = 'file-root:';
const fileCertificate = 'file-cert:';

function fileSecret(name: string, read: (path: string) => string | undefined): Secret | undefined {
  if (name.startsWith(fileRoots))
    return validation(name, pemOf(read(name.slice(fileRoots.length)), 'CERTIFICATE'));
  if (!name.startsWith(fileCertificate)) return undefined;
  const [certificate = '', key = ''] = name.slice(fileCertificate.length).split('~');
  const [chain, privateKey] = [pemOf(read(certificate), 'CERTIFICATE'), pemOf(read(key), 'PRIVATE KEY')];
  if (chain === undefined || privateKey === undefined) return undefined;
  return create(SecretSchema, {
    name,
    type: {
      case: 'tlsCertificate',
      value: { certificateChain: inline(chain), privateKey: inline(privateKey) },
    },
  });
}

/** Other files are nobody's secret to ask for. */
function pemOf(text: string | undefined, label: string): string | undefined {
  return text?.includes('-----BEGIN ') && text.includes(`${label}-----`) ? text : undefined;
}

function machineRoots(): string {
  const system = getCACertificates('system');
  return (system.length > 0 ? system : getCACertificates('bundled')).join('\n');
}

function validation(name: string, text: string | undefined): Secret | undefined {
  return text === undefined
    ? undefined
    : create(SecretSchema, { name, type: { case: 'validationContext', value: { trustedCa: inline(text) } } });
}

function secretOf(name: string, pair: KeyPair | undefined, root: string): Secret | undefined {
  if (name === roots) return validation(name, root);
  if (name !== ownCertificate || !pair) return undefined;
  return create(SecretSchema, {
    name,
    type: {
      case: 'tlsCertificate',
      value: {
        certificateChain: inline(pair.certificateChain),
        privateKey: inline(pair.privateKey.reveal()),
      },
    },
  });
}

function inline(text: string): { specifier: { case: 'inlineString'; value: string } } {
  return { specifier: { case: 'inlineString', value: text } };
}
