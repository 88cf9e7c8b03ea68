// Process (apiVersion meltemi.dev/v1): a workload that `meltemi up` starts on this machine, standing where a
// Deployment stands in a cluster.
import {
  field,
  type Infer,
  integerIn,
  list,
  mapOf,
  message,
  required,
  string,
  text,
} from '../schema/index.ts';

export const ProcessPort = message('ProcessPort', {
  name: field(string, 'joins the port to targetPort of Services; its protocol', {
    doc: 'Name of the port, as in a Service: it may begin with the protocol (http-web).',
  }),
  port: required(integerIn(1, 65535), 'the port on which the application listens'),
});
export type ProcessPort = Infer<typeof ProcessPort>;

export const Process = message(
  'Process',
  {
    labels: field(mapOf(string), 'labels of the workload', {
      doc: 'Labels of the workload; metadata.labels are added to them.',
    }),
    serviceAccount: field(string, 'the identity of the workload'),
    command: field(list(text), 'the process to start', { doc: 'Program and its arguments.' }),
    ports: list(ProcessPort),
    replicas: field(integerIn(0, 100), 'how many of it'),
    env: field(mapOf(text), 'environment of the process'),
    workingDir: field(string, 'where it is started', {
      doc: 'Relative to the file that holds the resource.',
    }),
  },
  {
    rules: [
      (process, context) => {
        if ((process.command ?? []).length === 0)
          context.report(
            'MT0103',
            ['command'],
            'a Process needs a command: the program and its arguments, as a list',
          );
        else if (process.command?.[0]?.trim() === '')
          context.report('MT0103', ['command', 0], 'the program has no name');
      },
    ],
  },
);
export type Process = Infer<typeof Process>;
