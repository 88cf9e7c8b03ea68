// Where the DestinationRule of a service is looked for.
import { deepEqual, type Family, type MemoEngine, type TableIndex } from '../base/index.ts';
import {
  type ConfigStore,
  isPartialWildcard,
  keyOf,
  type ObjectOf,
  type Service,
  wildcardsOver,
} from '../registry/index.ts';
import {
  type DestinationRuleModel,
  destinationRuleHost,
  isExportedTo,
  isInPool,
  mergeRules,
  type RulePool,
  resolveDestinationRule,
} from './destination-rule.ts';
import type { MeshSettings } from './mesh-settings.ts';

export class DestinationRules {
  readonly #store: ConfigStore;
  readonly #settings: () => MeshSettings;
  readonly #models: Family<[key: string], DestinationRuleModel | undefined>;
  /** By pool, and `namespace/host`. */
  readonly #merged: Family<[pool: RulePool, place: string], readonly DestinationRuleModel[]>;
  readonly #hosts: TableIndex<ObjectOf<'DestinationRule'>>;
  readonly #partial: TableIndex<ObjectOf<'DestinationRule'>>;

  constructor(engine: MemoEngine, store: ConfigStore, settings: () => MeshSettings) {
    this.#store = store;
    this.#settings = settings;
    this.#models = engine.family('destinationRule', (key: string) => this.#buildModel(key), deepEqual);
    this.#merged = engine.family(
      'rulesOfHost',
      (pool: RulePool, place: string) => this.#buildMerged(pool, place),
      deepEqual,
    );
    const table = store.table('DestinationRule');
    this.#hosts = table.index((object) => [
      `${object.metadata.namespace}/${destinationRuleHost(object, store.domain)}`,
    ]);
    this.#partial = table.index((object) =>
      [destinationRuleHost(object, store.domain)].filter(isPartialWildcard),
    );
  }

  /**
   * The rules for a service that clients of a namespace are among: of their own namespace, else of the
   * service's, else of the root namespace. In each the most specific host decides, whether or not a rule for
   * it turns out to be for the client.
   */
  rulesFor(client: string, service: Service): readonly DestinationRuleModel[] {
    const { rootNamespace } = this.#settings();
    // What the root namespace publishes is the mesh's default, so for its own proxies only its private rules
    // go first.
    const own = this.#lookUp(client === rootNamespace ? 'private' : 'own', client, service.hostname);
    if (own.length > 0) return own;
    for (const namespace of [service.namespace, rootNamespace]) {
      const exported = this.#lookUp('exported', namespace, service.hostname).filter((rule) =>
        isExportedTo(rule, client),
      );
      if (exported.length > 0) return exported;
    }
    return [];
  }

  #lookUp(pool: RulePool, namespace: string, host: string): readonly DestinationRuleModel[] {
    for (const pattern of [host, ...wildcardsOver(host, this.#partial.buckets())]) {
      const rules = this.#merged.get(pool, `${namespace}/${pattern}`);
      if (rules.length > 0) return rules;
    }
    return [];
  }

  #buildModel(key: string): DestinationRuleModel | undefined {
    const object = this.#store.table('DestinationRule').get(key);
    return object && resolveDestinationRule(object, this.#settings().domain);
  }

  #buildMerged(pool: RulePool, place: string): readonly DestinationRuleModel[] {
    const byDefault = this.#settings().config.defaultDestinationRuleExportTo;
    const models = this.#hosts.get(place).flatMap((object) => this.#models.get(keyOf(object)) ?? []);
    return mergeRules(models.filter((model) => isInPool(model, pool, byDefault)));
  }
}
