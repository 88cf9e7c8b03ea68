// VirtualService `directResponse`: an answer that the proxy gives itself.
import { create } from '@bufbuild/protobuf';
import {
  type DirectResponseAction,
  DirectResponseActionSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { HTTPDirectResponse } from '../../config/index.ts';

export function directResponse({ status, body }: HTTPDirectResponse): DirectResponseAction {
  return create(DirectResponseActionSchema, {
    status: status ?? 200,
    body: bodyOf(body) && { specifier: bodyOf(body) },
  });
}

function bodyOf(
  body: HTTPDirectResponse['body'],
): { case: 'inlineString'; value: string } | { case: 'inlineBytes'; value: Uint8Array } | undefined {
  if (body?.string !== undefined) return { case: 'inlineString', value: body.string };
  if (body?.bytes !== undefined) return { case: 'inlineBytes', value: body.bytes };
  return undefined;
}
