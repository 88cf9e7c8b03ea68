// Settings and requests that several tests of the router begin with.
import { endpointsAt } from '../../upstream/fake-cluster.ts';
import { asks } from '../http/fake-proxy.ts';

export const retry = (on: string, more: object = {}): object => ({
  route: { retry_policy: { retry_on: on, num_retries: 1, ...more } },
});
export const one = endpointsAt('10.0.0.1');
export const trailers = {
  manager: { http_protocol_options: { enable_trailers: true } },
  cluster: { http_protocol_options: { enable_trailers: true } },
};
export const post = asks('POST /', ['content-length: 4']);
