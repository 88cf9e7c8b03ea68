// Gateway API: BackendTLSPolicy. https://gateway-api.sigs.k8s.io/api-types/backendtlspolicy/
import { field, type Infer, ignored, list, message, required, string } from '../../schema/index.ts';
import { Condition } from './routes.ts';
import { open } from './shared.ts';

const PolicyTargetReference = message(
  'PolicyTargetReference',
  {
    group: field(string, 'Cluster.transport_socket of which services'),
    kind: field(string, 'Cluster.transport_socket of which services'),
    name: required(string, 'Cluster.transport_socket of which services'),
    sectionName: field(string, 'Cluster.transport_socket of which port'),
  },
  open,
);
export type PolicyTargetReference = Infer<typeof PolicyTargetReference>;

export const BackendTLSPolicy = message(
  'BackendTLSPolicySpec',
  {
    targetRefs: list(PolicyTargetReference),
    validation: message(
      'BackendTLSPolicyValidation',
      {
        hostname: required(string, 'UpstreamTlsContext.sni'),
        caCertificateRefs: list(
          message(
            'LocalObjectReference',
            {
              group: field(string, 'whether it is a ConfigMap'),
              kind: field(string, 'whether it is a ConfigMap'),
              name: required(
                string,
                'CommonTlsContext.combined_validation_context.validation_context_sds_secret_config (configmap://…)',
              ),
            },
            open,
          ),
        ),
        wellKnownCACertificates: field(
          string,
          'System: CommonTlsContext.combined_validation_context.validation_context_sds_secret_config (file-root:system)',
        ),
        subjectAltNames: list(
          message(
            'SubjectAltName',
            {
              type: ignored(string, 'the field that is there tells'),
              hostname: field(string, 'CertificateValidationContext.match_subject_alt_names'),
              uri: field(string, 'CertificateValidationContext.match_subject_alt_names'),
            },
            open,
          ),
        ),
      },
      open,
    ),
    status: message(
      'PolicyStatus',
      {
        ancestors: list(
          message(
            'PolicyAncestorStatus',
            {
              ancestorRef: PolicyTargetReference,
              controllerName: field(string, 'the status, when it is computed anew'),
              conditions: list(Condition),
            },
            open,
          ),
        ),
      },
      open,
    ),
  },
  open,
);
export type BackendTLSPolicy = Infer<typeof BackendTLSPolicy>;
