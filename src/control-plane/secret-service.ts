// The secret service that stands beside proxies (`sds-grpc`): each proxy gets the certificate of its own identity, and the mesh's roots.
import { create } from '@bufbuild/protobuf';
import { type Secret, SecretSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { type Derived, type Input, MemoEngine } from '../base/index.ts';
import { type KeyPair, spiffeId, type WorkloadCertificates } from '../identity/index.ts';
import { type EncodedResource, encodeResource } from '../translate/index.ts';
import { type ConnectionEvents, Feed, FeedHub, type FeedSet, startXdsServer, type XdsServer } from '../xds/index.ts';
import { proxyNode } from './proxy-node.ts';

const ownCertificate = 'default';
const roots = 'ROOTCA';

export class SecretService {
  readonly #engine = new MemoEngine();
  readonly #hub = new FeedHub();
  readonly #certificates: WorkloadCertificates;
  readonly #trustDomain: string;
  readonly #onFailed: (error: unknown) => void;
  readonly #sessions = new Set<{ flush(): void }>();

  constructor(certificates: WorkloadCertificates, trustDomain: string, onFailed: (error: unknown) => void) {
    this.#certificates = certificates;
    this.#onFailed = onFailed;
    this.#trustDomain = trustDomain;
  }

  serve(address: string): Promise<XdsServer> {
    return startXdsServer({ address, open: () => this.#connection() });
  }

  #connection(): ConnectionEvents {
    let end = (): void => {};
    return {
      identify: (message, connection) => {
        const node = proxyNode(message);
        if (!node) return undefined;
        const { feeds, stop } = this.#feedsOf(
          spiffeId({ trustDomain: this.#trustDomain, namespace: node.namespace, serviceAccount: node.serviceAccount }),
        );
        this.#sessions.add(connection.session);
        end = () => {
          stop();
          this.#sessions.delete(connection.session);
        };
        return feeds;
      },
      accepted: () => {},
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
        const secret = secretOf(name, pair.get(), this.#certificates.rootCertificate);
        return secret && encodeResource(SecretSchema, name, secret);
      });
      cells.set(name, cell);
    }
    return cell;
  }

  #push(): void {
    this.#hub.process(this.#engine.takeTouched());
    for (const session of this.#sessions) session.flush();
  }
}

function secretOf(name: string, pair: KeyPair | undefined, root: string): Secret | undefined {
  if (name === roots) return create(SecretSchema, { name, type: { case: 'validationContext', value: { trustedCa: inline(root) } } });
  if (name !== ownCertificate || !pair) return undefined;
  return create(SecretSchema, {
    name,
    type: {
      case: 'tlsCertificate',
      value: { certificateChain: inline(pair.certificateChain), privateKey: inline(pair.privateKey.reveal()) },
    },
  });
}

function inline(text: string): { specifier: { case: 'inlineString'; value: string } } {
  return { specifier: { case: 'inlineString', value: text } };
}
