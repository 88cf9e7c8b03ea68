// Every page of the administration interface, under Envoy's paths.
// https://www.envoyproxy.io/docs/envoy/latest/operations/admin
import { prometheusText } from '../observe/prometheus.ts';
import { clustersText, configDump } from './config-dump.ts';
import { listenersPage } from './listeners-page.ts';
import { done, json, type Page } from './page.ts';
import { statsPage } from './stats-page.ts';

export const pages: readonly Page[] = [
  {
    path: '/ready',
    answer: ({ state }) => ({ status: state() === 'LIVE' ? 200 : 503, body: `${state()}\n` }),
  },
  listenersPage,
  { path: '/clusters', answer: ({ clusters }) => ({ body: clustersText(clusters) }) },
  statsPage,
  { path: '/stats/prometheus', answer: ({ stats }) => ({ body: prometheusText(stats) }) },
  {
    path: '/config_dump',
    answer: ({ clusters, listeners }, query) =>
      json(configDump(clusters, listeners, { withEndpoints: query.has('include_eds') })),
  },
  {
    path: '/certs',
    answer: ({ secrets }) => json({ certificates: [], secrets_generation: secrets.generation }),
  },
  {
    path: '/server_info',
    answer: ({ state, uptimeSeconds, nodeId }) =>
      json({
        version: 'meltemi',
        state: state(),
        uptime_current_epoch: `${Math.floor(uptimeSeconds())}s`,
        node: { id: nodeId },
      }),
  },
  {
    path: '/drain_listeners',
    changes: true,
    answer: ({ drain }, query) => {
      drain(query.has('inboundonly') ? 'inbound' : 'all');
      return done;
    },
  },
  healthCheck('fail', true),
  healthCheck('ok', false),
  {
    path: '/reset_counters',
    changes: true,
    answer: ({ stats }) => {
      stats.resetCounters();
      return done;
    },
  },
  {
    path: '/reopen_logs',
    changes: true,
    answer: ({ reopenLogs }) => {
      reopenLogs();
      return done;
    },
  },
  {
    path: '/quitquitquit',
    changes: true,
    answer: ({ quit }) => {
      // The answer goes out first.
      setImmediate(quit);
      return done;
    },
  },
];

function healthCheck(name: string, failing: boolean): Page {
  return {
    path: `/healthcheck/${name}`,
    changes: true,
    answer: ({ health }) => {
      health.failing = failing;
      return done;
    },
  };
}
