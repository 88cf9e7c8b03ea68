// Access logs as MeshConfig asks for them: a line for each request or connection, in a file of the proxy.
// https://istio.io/latest/docs/tasks/observability/logs/access-log/#default-access-log-format
import type { JsonObject } from '@bufbuild/protobuf';
import type { AccessLogSchema } from '@meltemi/envoy-api/envoy/config/accesslog/v3/accesslog';
import { FileAccessLogSchema } from '@meltemi/envoy-api/envoy/extensions/access_loggers/file/v3/file';
import type { MeshConfig } from '../../config/index.ts';
import { any, type Init } from '../wire.ts';

type AccessLogInit = Init<typeof AccessLogSchema>;

const request = '"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%"';
const outcome = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS%';
const volume = '%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%';
const client = '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%"';
const way =
  '"%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS%';
const defaultText = `[%START_TIME%] ${request} ${outcome} "%UPSTREAM_TRANSPORT_FAILURE_REASON%" ${volume} ${client} ${way} %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n`;

const defaultFields: JsonObject = {
  start_time: '%START_TIME%',
  route_name: '%ROUTE_NAME%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  protocol: '%PROTOCOL%',
  response_code: '%RESPONSE_CODE%',
  response_flags: '%RESPONSE_FLAGS%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  connection_termination_details: '%CONNECTION_TERMINATION_DETAILS%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  duration: '%DURATION%',
  upstream_service_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  x_forwarded_for: '%REQ(X-FORWARDED-FOR)%',
  user_agent: '%REQ(USER-AGENT)%',
  request_id: '%REQ(X-REQUEST-ID)%',
  authority: '%REQ(:AUTHORITY)%',
  upstream_host: '%UPSTREAM_HOST%',
  upstream_cluster: '%UPSTREAM_CLUSTER_RAW%',
  upstream_local_address: '%UPSTREAM_LOCAL_ADDRESS%',
  downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
  downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
  requested_server_name: '%REQUESTED_SERVER_NAME%',
  upstream_transport_failure_reason: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
};

/** For filters that answer requests or pass connections on. */
export function accessLogs(mesh: MeshConfig): AccessLogInit[] {
  const { accessLogFile: path } = mesh;
  if (!path) return [];
  const config = any(FileAccessLogSchema, {
    path,
    accessLogFormat: { case: 'logFormat', value: logFormat(mesh) },
  });
  return [{ name: 'envoy.access_loggers.file', configType: { case: 'typedConfig', value: config } }];
}

/** For listeners: connections that no filter chain took, which no filter logs therefore. */
export function listenerAccessLogs(mesh: MeshConfig): AccessLogInit[] {
  if (mesh.disableEnvoyListenerLog) return [];
  return accessLogs(mesh).map((log) => ({
    ...log,
    filter: { filterSpecifier: { case: 'responseFlagFilter', value: { flags: ['NR'] } } },
  }));
}

type LogFormat = NonNullable<
  Extract<Init<typeof FileAccessLogSchema>['accessLogFormat'], { case: 'logFormat' }>
>['value'];

function logFormat({ accessLogFormat: own, accessLogEncoding }: MeshConfig): LogFormat {
  if (accessLogEncoding === 'JSON')
    return { format: { case: 'jsonFormat', value: (own && jsonObject(own)) || defaultFields } };
  const text = own ? `${own}${own.endsWith('\n') ? '' : '\n'}` : defaultText;
  return {
    format: { case: 'textFormatSource', value: { specifier: { case: 'inlineString', value: text } } },
  };
}

/** Undefined when the text is no JSON object. */
function jsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}
