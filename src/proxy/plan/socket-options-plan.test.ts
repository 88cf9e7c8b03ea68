import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary } from '@bufbuild/protobuf';
import { TcpKeepaliveSchema } from '@meltemi/envoy-api/envoy/config/core/v3/address';
import { SocketOptionSchema } from '@meltemi/envoy-api/envoy/config/core/v3/socket_option';
import { ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { listenerKeepAlive, planSocketOptions } from './socket-options-plan.ts';

test('options of the configuration', () => {
  const option = (
    value:
      | { case: 'intValue'; value: bigint }
      | { case: 'bufValue'; value: Uint8Array }
      | { case: undefined },
  ) => create(SocketOptionSchema, { level: 6n, name: 18n, value });
  const planned = (
    value: Parameters<typeof option>[0],
  ): readonly [number | Uint8Array | undefined, readonly string[]] => {
    const problems: string[] = [];
    return [planSocketOptions(undefined, [option(value)], problems)?.byNumber[0]?.value, problems];
  };
  assert.deepEqual(planned({ case: 'intValue', value: 258n }), [258, []]);
  assert.deepEqual(planned({ case: 'intValue', value: -1n }), [-1, []]);
  assert.deepEqual(planned({ case: 'bufValue', value: Uint8Array.of(1, 2, 3) }), [
    Uint8Array.of(1, 2, 3),
    [],
  ]);
  assert.deepEqual(planned({ case: undefined }), [undefined, ['socket option 18 has no value']]);
  assert.equal(planSocketOptions(undefined, [], []), undefined);
  const keepAlive = create(TcpKeepaliveSchema, { keepaliveProbes: 3, keepaliveTime: 20 });
  assert.deepEqual(planSocketOptions(keepAlive, [], []), {
    keepAlive: { probes: 3, time: 20, interval: undefined },
    byNumber: [],
  });
});

test("a listener's keep-alive, a field that the messages do not know yet", () => {
  // tcp_keepalive (37) with keepalive_time (2) of 20 seconds.
  const source = fromBinary(ListenerSchema, Uint8Array.of(0xaa, 0x02, 4, 0x12, 2, 8, 20));
  assert.equal(listenerKeepAlive(source.$unknown)?.keepaliveTime, 20);
  assert.equal(listenerKeepAlive(undefined), undefined);
});
