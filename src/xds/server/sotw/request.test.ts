// Requests as the library writes them, read back; lists of names in every position to those read before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { DiscoveryRequestSchema } from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import fc from 'fast-check';
import { RequestReader } from './request.ts';

function written(init: MessageInitShape<typeof DiscoveryRequestSchema>): Uint8Array {
  return toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, init));
}

test('every field that is of use', () => {
  const { node, ...rest } = new RequestReader().read(
    written({
      versionInfo: 'v',
      node: { id: 'n', metadata: { NAMESPACE: 'shop' } },
      resourceNames: ['a', 'b'],
      typeUrl: 'type',
      responseNonce: 'x',
      errorDetail: { code: 3, message: 'no' },
      resourceLocators: [{ name: 'passed over' }],
    }),
  );
  assert.deepEqual(rest, { typeUrl: 'type', nonce: 'x', error: 'no', names: ['a', 'b'] });
  assert.deepEqual([node?.id, node?.metadata], ['n', { NAMESPACE: 'shop' }]);
});

test('equal lists are the same object, whatever stands around them', () => {
  const reader = new RequestReader();
  const first = reader.read(written({ resourceNames: ['a', 'b'], typeUrl: 't' }));
  const second = reader.read(
    written({ versionInfo: '7', resourceNames: ['a', 'b'], typeUrl: 't', responseNonce: 'x' }),
  );
  assert.equal(first.names, second.names);
  assert.equal(reader.read(written({ typeUrl: 't' })).names, reader.read(written({ typeUrl: 'u' })).names);
});

test('any lists, one after the other', () => {
  const list = fc.array(fc.constantFrom('', 'a', 'b', 'ab', 'ü', '\u001a'), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(list, { maxLength: 40 }), (lists) => {
      const reader = new RequestReader();
      for (const resourceNames of lists)
        assert.deepEqual(reader.read(written({ resourceNames, responseNonce: 'x' })).names, resourceNames);
    }),
  );
});

test('names apart from each other are all read', () => {
  const apart = Buffer.concat([
    written({ resourceNames: ['a'] }),
    written({ typeUrl: 't' }),
    written({ resourceNames: ['b'] }),
  ]);
  assert.deepEqual(new RequestReader().read(apart).names, ['a', 'b']);
});

test('what is cut short is an error', () => {
  const whole = written({ node: { id: 'node' }, resourceNames: ['abc'] });
  assert.throws(() => new RequestReader().read(whole.subarray(0, whole.length - 1)));
});
