// Adds and removes headers as a plan says.
import type { MutableHeaders } from '../../codec/http/request-view.ts';
import { compileFormat } from '../../format/format.ts';
import type { FormatContext } from '../../format/format-context.ts';
import type { HeaderAddition, HeaderMutations } from '../../plan/route/header-mutation.ts';
import { compiledOnce } from '../compiled.ts';

const formatterOf = compiledOnce(({ format }: HeaderAddition) => compileFormat(format));

/** Removes first, then overwrites, then adds; every value is computed before any of them is written. */
export function applyHeaderMutations(
  mutations: HeaderMutations,
  headers: MutableHeaders,
  context: FormatContext,
): void {
  for (const name of mutations.remove) headers.remove(name);
  if (mutations.add.length === 0) return;
  const writes: { name: string; value: string; overwrite: boolean }[] = [];
  for (const addition of mutations.add) {
    const { name, action, keepEmpty } = addition;
    const text = formatterOf(addition)(context);
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
