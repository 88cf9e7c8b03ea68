import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prometheusText } from './prometheus.ts';
import { Stats } from './stats.ts';

function check(names: readonly string[], expected: readonly string[]): void {
  const stats = new Stats();
  for (const [index, name] of names.entries()) stats.counter(name).value = index;
  assert.deepEqual(prometheusText(stats).split('\n').filter(Boolean), expected);
}

test('what is counted becomes a label', () => {
  check(
    [
      'cluster.outbound|80|v1|a.b.svc.cluster.local.upstream_cx_total',
      'cluster.b.ssl.handshake',
      'cluster.c.outlier_detection.ejections_active',
    ],
    [
      '# TYPE envoy_cluster_outlier_detection_ejections_active counter',
      'envoy_cluster_outlier_detection_ejections_active{envoy_cluster_name="c"} 2',
      '# TYPE envoy_cluster_ssl_handshake counter',
      'envoy_cluster_ssl_handshake{envoy_cluster_name="b"} 1',
      '# TYPE envoy_cluster_upstream_cx_total counter',
      'envoy_cluster_upstream_cx_total{envoy_cluster_name="outbound|80|v1|a.b.svc.cluster.local"} 0',
    ],
  );
  check(
    ['listener.0.0.0.0_80.downstream_cx_loop'],
    [
      '# TYPE envoy_listener_downstream_cx_loop counter',
      'envoy_listener_downstream_cx_loop{envoy_listener_address="0.0.0.0_80"} 0',
    ],
  );
  check(['server.state'], ['# TYPE envoy_server_state counter', 'envoy_server_state 0']);
});

test('one block a metric, whatever lies between in the order of names', () => {
  check(
    [
      'http.a.downstream_rq_2xx',
      'http.a.downstream_rq_5xx',
      'http.a.downstream_rq_total',
      'http.b.downstream_rq_2xx',
    ],
    [
      '# TYPE envoy_http_downstream_rq_total counter',
      'envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="a"} 2',
      '# TYPE envoy_http_downstream_rq_xx counter',
      'envoy_http_downstream_rq_xx{envoy_response_code_class="2",envoy_http_conn_manager_prefix="a"} 0',
      'envoy_http_downstream_rq_xx{envoy_response_code_class="5",envoy_http_conn_manager_prefix="a"} 1',
      'envoy_http_downstream_rq_xx{envoy_response_code_class="2",envoy_http_conn_manager_prefix="b"} 3',
    ],
  );
});

test('names that would be one without labels stay apart, and quotes are escaped', () => {
  check(
    ['tcp.a-b.downstream_cx_total', 'tcp.a_b.downstream_cx_total', 'tcp.a"\\.downstream_cx_total'],
    [
      '# TYPE envoy_tcp_downstream_cx_total counter',
      'envoy_tcp_downstream_cx_total{envoy_tcp_prefix="a\\"\\\\"} 2',
      'envoy_tcp_downstream_cx_total{envoy_tcp_prefix="a-b"} 0',
      'envoy_tcp_downstream_cx_total{envoy_tcp_prefix="a_b"} 1',
    ],
  );
});
