// Every finding about configuration: its stable code, how severe it is, and what to do about it.
// `docs/issues.md` is made of this. Ranges: MT00xx files and YAML, MT01xx schema and validation, MT02xx
// references between resources, MT03xx deprecated and legacy, MT04xx accepted but without effect. A code is
// never reused.
import type { Severity } from '../base/index.ts';

export interface CatalogueEntry {
  readonly severity: Severity;
  readonly title: string;
  readonly action: string;
}

export const catalogue = {
  MT0001: {
    severity: 'error',
    title: 'YAML or JSON syntax',
    action: 'Correct the syntax at the place named. The other documents of the file are read.',
  },
  MT0002: {
    severity: 'error',
    title: 'not a text file',
    action: 'Give a YAML or JSON file in UTF-8; this one holds binary data.',
  },
  MT0003: {
    severity: 'error',
    title: 'too large',
    action: 'Split the file or resource, or write out what the aliases stand for.',
  },
  MT0004: {
    severity: 'error',
    title: 'kind or apiVersion missing',
    action: 'Write both apiVersion and kind at the top of the document.',
  },
  MT0005: {
    severity: 'info',
    title: 'kind not read',
    action: 'Nothing, if the resource is meant for another program.',
  },
  MT0006: { severity: 'error', title: 'unknown apiVersion', action: 'Use one of the versions named.' },
  MT0007: {
    severity: 'error',
    title: 'resource given twice',
    action: 'Rename or remove one of the two; the first is used.',
  },
  MT0008: {
    severity: 'error',
    title: 'key given twice',
    action: 'Keep one of the two; Kubernetes refuses such a document.',
  },
  MT0009: {
    severity: 'error',
    title: 'metadata',
    action: 'Write a metadata block that Kubernetes would accept, with a name.',
  },
  MT0010: { severity: 'error', title: 'file cannot be read', action: 'Check the path and the permissions.' },
  MT0011: {
    severity: 'warning',
    title: 'not a resource',
    action: 'Move the file elsewhere if it is not configuration; the document is passed over.',
  },
  MT0012: {
    severity: 'warning',
    title: 'kind or apiVersion probably misspelt',
    action: 'Correct it to the spelling suggested; the resource is not used.',
  },

  MT0101: { severity: 'error', title: 'wrong type', action: 'Write a value of the type named.' },
  MT0102: {
    severity: 'warning',
    title: 'unknown field',
    action: 'Correct the name or remove the field; it is ignored.',
  },
  MT0103: { severity: 'error', title: 'required field missing', action: 'Add the field.' },
  MT0104: {
    severity: 'error',
    title: 'unknown value of an enumeration',
    action: 'Use one of the values named.',
  },
  MT0105: { severity: 'error', title: 'number out of range', action: 'Use a number inside the range named.' },
  MT0106: {
    severity: 'error',
    title: 'duration',
    action: 'Write a duration such as 1.5s or 250ms, in whole milliseconds.',
  },
  MT0107: {
    severity: 'error',
    title: 'rule without action',
    action: 'Give the rule a route, redirect, directResponse or delegate.',
  },
  MT0108: { severity: 'error', title: 'fields that exclude each other', action: 'Keep one of them.' },
  MT0109: {
    severity: 'error',
    title: 'host name',
    action:
      'Write a DNS name: letters, digits and hyphens between dots; * only as the first label, where a wildcard is allowed.',
  },
  MT0110: {
    severity: 'error',
    title: 'regular expression',
    action: 'Write an expression in RE2 syntax (https://github.com/google/re2/wiki/Syntax).',
  },
  MT0111: {
    severity: 'error',
    title: 'label or selector',
    action: 'Use keys and values that Kubernetes accepts for labels.',
  },
  MT0112: {
    severity: 'error',
    title: 'exportTo',
    action: 'Write ".", "*" or names of namespaces, each once.',
  },
  MT0113: {
    severity: 'error',
    title: 'header name or value',
    action: 'Use a valid header name; write %% for a percent sign in a value.',
  },
  MT0114: { severity: 'error', title: 'weights', action: 'Use weights of 0 or more, with a sum above 0.' },
  MT0115: { severity: 'error', title: 'percentage', action: 'Use a value from 0 to 100.' },
  MT0116: {
    severity: 'error',
    title: 'entry given twice',
    action: 'Remove one of the two or make them differ.',
  },
  MT0117: {
    severity: 'error',
    title: 'TLS settings',
    action: 'Give the certificates that the mode needs, from one source.',
  },
  MT0118: { severity: 'error', title: 'protocol', action: 'Use one of the protocols named.' },
  MT0119: {
    severity: 'error',
    title: 'address',
    action: 'Write an IP address, a CIDR block, a DNS name or a unix socket, as the place allows.',
  },
  MT0120: {
    severity: 'error',
    title: 'gateway name',
    action: 'Write NAME or NAMESPACE/NAME of a Gateway, or mesh.',
  },
  MT0121: {
    severity: 'error',
    title: 'nothing in it',
    action: 'Set at least one of the fields named, or remove the block.',
  },
  MT0122: {
    severity: 'error',
    title: 'retries',
    action: 'Use a condition that Envoy knows, and attempts above 0.',
  },
  MT0123: {
    severity: 'error',
    title: 'redirect',
    action: 'Say where to, with a code among 301, 302, 303, 307 and 308.',
  },
  MT0124: {
    severity: 'error',
    title: 'status code',
    action: 'Use an HTTP status from 200 to 599, or the name of a gRPC status.',
  },
  MT0125: {
    severity: 'error',
    title: 'locality',
    action: 'Write region/zone/subzone; the weights of one place add up to 100.',
  },
  MT0126: {
    severity: 'error',
    title: 'delegation',
    action:
      'Delegate one level deep, from a rule without route or redirect to a VirtualService without hosts.',
  },
  MT0127: {
    severity: 'error',
    title: 'wildcard host',
    action: 'Name the hosts; a wildcard this wide is not possible here.',
  },
  MT0128: {
    severity: 'error',
    title: 'string match',
    action: 'Give exactly one of exact, prefix and regex, not empty.',
  },
  MT0129: { severity: 'error', title: 'not supported', action: 'Remove the field.' },
  MT0130: {
    severity: 'error',
    title: 'HTTP method',
    action: 'Use a method of RFC 9110 or PATCH, in capitals.',
  },
  MT0131: {
    severity: 'error',
    title: 'listener',
    action: 'Give the listener a port, bind address and hosts that fit together.',
  },
  MT0132: { severity: 'error', title: 'health check', action: 'Use httpGet, tcpSocket or exec, complete.' },
  MT0133: { severity: 'error', title: 'value too long', action: 'Shorten it.' },
  MT0134: {
    severity: 'error',
    title: 'line break or NUL in a text',
    action:
      'Write the value in one line: line breaks and NUL would end a header, a path or a name on the wire.',
  },
  MT0151: {
    severity: 'warning',
    title: 'rule never reached',
    action: 'Move the rule before the one that covers it, or remove it.',
  },
  MT0152: {
    severity: 'warning',
    title: 'selector without labels',
    action: 'Add labels, or remove the selector: it selects every workload of the namespace.',
  },
  MT0153: {
    severity: 'warning',
    title: 'large direct response',
    action: 'Serve large bodies from a service.',
  },
  MT0154: { severity: 'warning', title: 'setting ignored', action: 'Remove it or make it fit the rest.' },
  MT0155: { severity: 'warning', title: 'host listed twice', action: 'Remove one of the two.' },
  MT0156: { severity: 'warning', title: 'partial wildcard', action: 'Use *. and a domain.' },
  MT0157: {
    severity: 'warning',
    title: 'address missing',
    action: 'Add addresses, or an address, so that traffic can be told apart.',
  },
  MT0158: {
    severity: 'warning',
    title: 'cipher suite',
    action: 'Remove what is unknown or doubled; it is ignored.',
  },

  MT0201: {
    severity: 'warning',
    title: 'unknown host',
    action:
      'Correct the name, or declare the host with a Service or ServiceEntry; requests sent there get 503.',
  },
  MT0202: {
    severity: 'warning',
    title: 'unknown gateway',
    action: 'Correct the name (NAMESPACE/NAME), or add the Gateway; the rules do not apply there.',
  },
  MT0203: {
    severity: 'error',
    title: 'subset not declared',
    action:
      "Declare the subset in the host's DestinationRule; until then requests for it get 503, or the version before stays in force.",
  },
  MT0204: {
    severity: 'warning',
    title: 'port not declared',
    action: 'Use a port of the service; requests sent to another one get 503.',
  },
  MT0205: {
    severity: 'warning',
    title: 'delegate not found',
    action: 'Correct the name and namespace, or export the delegate to this namespace; the rule is left out.',
  },
  MT0206: {
    severity: 'warning',
    title: 'DestinationRule for an unknown host',
    action:
      'Correct the name, or declare the host with a Service or ServiceEntry; the rule applies to nothing.',
  },
  MT0207: {
    severity: 'warning',
    title: 'host routed twice',
    action: 'Put the rules for the host into one VirtualService; at sidecars only one of several counts.',
  },
  MT0209: {
    severity: 'warning',
    title: 'certificate not found',
    action: "Add the Secret, in the namespace of the gateway's pods, or correct the name.",
  },
  MT0210: {
    severity: 'warning',
    title: 'whole port captured',
    action: 'Give the ServiceEntry addresses, or declare the port with the protocol that it really speaks.',
  },
  MT0211: {
    severity: 'warning',
    title: 'TLS in TLS',
    action: 'Remove the TLS settings, or declare the port as HTTP when applications speak plaintext on it.',
  },
  MT0213: {
    severity: 'warning',
    title: 'status of a Gateway API object',
    action:
      'The condition says what is wrong, in the words of the Gateway API; what it is about is not served.',
  },
  MT0212: {
    severity: 'warning',
    title: 'port name probably misspelt',
    action: 'Begin the name with the protocol (http-web), or set appProtocol.',
  },

  MT0301: {
    severity: 'warning',
    title: 'abort percent of 2018',
    action: 'Write percentage: {value: N}. The field is honoured here and ignored by Istio.',
  },
  MT0302: { severity: 'warning', title: 'deprecated field', action: 'Use the field named instead.' },
  MT0303: { severity: 'warning', title: 'old form of a gateway name', action: 'Write NAMESPACE/NAME.' },

  MT0401: {
    severity: 'info',
    title: 'no effect',
    action: 'Nothing; the field is read and checked but does nothing here.',
  },
  MT0402: {
    severity: 'warning',
    title: 'kind without effect',
    action: 'Do not rely on it: Istio would act on this resource, Meltemi does not.',
  },
  MT0403: {
    severity: 'warning',
    title: 'destination without weight',
    action: 'Write the share that the destination is to have, or weight: 0.',
  },
  MT0404: {
    severity: 'warning',
    title: 'fault that never happens',
    action: 'Write the share of requests: percentage: {value: 100}.',
  },
  MT0405: {
    severity: 'warning',
    title: 'rules without effect',
    action: 'Use rules of the kind that the port or server carries, or correct its name or protocol.',
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

export type IssueCode = keyof typeof catalogue;
