import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { ListenerFilterChainMatchPredicateSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import { matchesPort, planPortMatch } from './port-match.ts';

const range = (start: number, end: number): object => ({ destination_port_range: { start, end } });

const cases: readonly (readonly [string, object, readonly number[]])[] = [
  ['a range without its end', range(2, 4), [2, 3]],
  ['either', { or_match: { rules: [range(1, 2), range(4, 5)] } }, [1, 4]],
  ['both', { and_match: { rules: [range(1, 4), range(3, 6)] } }, [3]],
  ['not', { not_match: range(2, 5) }, [1, 5]],
  ['any', { any_match: true }, [1, 2, 3, 4, 5]],
  ['none', {}, []],
];
for (const [name, predicate, ports] of cases)
  test(`ports: ${name}`, () => {
    const match = planPortMatch(fromJson(ListenerFilterChainMatchPredicateSchema, predicate as JsonValue));
    assert.deepEqual(
      [1, 2, 3, 4, 5].filter((port) => matchesPort(match, port)),
      ports,
    );
    assert.deepEqual(structuredClone(match), match);
  });
