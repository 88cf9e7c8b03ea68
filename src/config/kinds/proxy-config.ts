// ProxyConfig: https://istio.io/latest/docs/reference/config/networking/proxy-config/
import { type Infer, ignored, int32, mapOf, message, string } from '../schema/index.ts';
import { LabelSelector } from './shared.ts';

export const ProxyConfig = message(
  'ProxyConfig',
  {
    selector: LabelSelector,
    concurrency: ignored(int32, 'worker threads are a flag of the Envoy process'),
    environmentVariables: ignored(mapOf(string), 'set them where the proxy is started'),
    image: message('ProxyImage', { imageType: ignored(string, 'no image is chosen here') }),
  },
  {
    rules: [
      ({ concurrency = 0, environmentVariables = {} }, context) => {
        if (concurrency < 0) context.report('MT0105', ['concurrency'], '{} cannot be negative');
        for (const [name, value] of Object.entries(environmentVariables)) {
          if (value.length > 2048)
            context.report('MT0133', ['environmentVariables', name], '{} has more than 2048 characters');
        }
      },
    ],
  },
);
export type ProxyConfig = Infer<typeof ProxyConfig>;
