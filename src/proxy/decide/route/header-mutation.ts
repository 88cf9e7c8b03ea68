// Headers that a route, virtual host or route configuration adds and removes.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#custom-request-response-headers
import {
  HeaderValueOption_HeaderAppendAction as Append,
  type HeaderValueOption,
} from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { compileFormat, type Formatter } from '../../format/format.ts';
import type { FormatContext, MutableHeaders } from './request-view.ts';
import { configuredText } from './wire-text.ts';

type AppendAction = 'append' | 'addIfAbsent' | 'overwriteOrAdd' | 'overwriteIfExists';

interface Addition {
  readonly name: string;
  /** As configured, with its operators. */
  readonly template: string;
  readonly value: Formatter;
  readonly action: AppendAction;
  readonly keepEmpty: boolean;
}

export interface HeaderMutations {
  readonly add: readonly Addition[];
  readonly remove: readonly string[];
}

export const noMutations: HeaderMutations = { add: [], remove: [] };

/** Shared when there is nothing to do, so that callers can skip by identity. */
export function compileHeaderMutations(
  add: readonly HeaderValueOption[],
  remove: readonly string[],
  problems: string[],
): HeaderMutations {
  if (add.length === 0 && remove.length === 0) return noMutations;
  return {
    add: add.map((option) => compileAddition(option, problems)),
    remove: remove.map((name) => modifiable(name, problems)),
  };
}

/** Removes first, then overwrites, then adds; every value is computed before any of them is written. */
export function applyHeaderMutations(
  mutations: HeaderMutations,
  headers: MutableHeaders,
  context: FormatContext,
): void {
  for (const name of mutations.remove) headers.remove(name);
  if (mutations.add.length === 0) return;
  const writes: { name: string; value: string; overwrite: boolean }[] = [];
  for (const { name, value, action, keepEmpty } of mutations.add) {
    const text = value(context);
    if (text === '' && !keepEmpty) continue;
    if (action === 'addIfAbsent' && headers.get(name) !== undefined) continue;
    if (action === 'overwriteIfExists' && headers.get(name) === undefined) continue;
    writes.push({
      name,
      value: text,
      overwrite: action === 'overwriteOrAdd' || action === 'overwriteIfExists',
    });
  }
  for (const write of writes) if (write.overwrite) headers.set(write.name, write.value);
  for (const write of writes) if (!write.overwrite) headers.add(write.name, write.value);
}

function compileAddition(option: HeaderValueOption, problems: string[]): Addition {
  const template =
    option.header?.value || new TextDecoder().decode(option.header?.rawValue ?? new Uint8Array());
  configuredText(template, 'header value', problems);
  return {
    name: modifiable(option.header?.key ?? '', problems),
    template,
    value: compileFormat(template, problems),
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
