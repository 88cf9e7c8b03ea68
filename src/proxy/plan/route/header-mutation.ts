// Headers that a route, virtual host or route configuration adds and removes, as plans.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#custom-request-response-headers
import {
  HeaderValueOption_HeaderAppendAction as Append,
  type HeaderValueOption,
} from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { configuredText } from '../../codec/wire-text.ts';
import { type FormatPlan, planFormat } from '../../format/format-plan.ts';

type AppendAction = 'append' | 'addIfAbsent' | 'overwriteOrAdd' | 'overwriteIfExists';

export interface HeaderAddition {
  readonly name: string;
  readonly format: FormatPlan;
  readonly action: AppendAction;
  readonly keepEmpty: boolean;
}

export interface HeaderMutations {
  readonly add: readonly HeaderAddition[];
  readonly remove: readonly string[];
}

export function planHeaderMutations(
  add: readonly HeaderValueOption[],
  remove: readonly string[],
  problems: string[],
): HeaderMutations {
  return {
    add: add.map((option) => planAddition(option, problems)),
    remove: remove.map((name) => modifiable(name, problems)),
  };
}

export function hasMutations({ add, remove }: HeaderMutations): boolean {
  return add.length > 0 || remove.length > 0;
}

function planAddition(option: HeaderValueOption, problems: string[]): HeaderAddition {
  const template =
    option.header?.value || new TextDecoder().decode(option.header?.rawValue ?? new Uint8Array());
  configuredText(template, 'header value', problems);
  return {
    name: modifiable(option.header?.key ?? '', problems),
    format: planFormat(template, problems),
    action: appendAction(option),
    keepEmpty: option.keepEmptyValue,
  };
}

function appendAction(option: HeaderValueOption): AppendAction {
  if (option.append !== undefined && option.appendAction === Append.APPEND_IF_EXISTS_OR_ADD)
    return option.append ? 'append' : 'overwriteOrAdd';
  switch (option.appendAction) {
    case Append.ADD_IF_ABSENT:
      return 'addIfAbsent';
    case Append.OVERWRITE_IF_EXISTS_OR_ADD:
      return 'overwriteOrAdd';
    case Append.OVERWRITE_IF_EXISTS:
      return 'overwriteIfExists';
    default:
      return 'append';
  }
}

function modifiable(key: string, problems: string[]): string {
  const name = key.toLowerCase();
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || name === 'host') {
    problems.push(
      `header ${JSON.stringify(key)} may not be modified: pseudo headers and host are not open to it`,
    );
  }
  return name;
}
