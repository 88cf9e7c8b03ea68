// What is in force of the resources that have errors: said with the findings, and always as it is.
import { type Issue, resourceName } from '../base/index.ts';
import type { AnyConfig } from '../config/index.ts';
import type { Pilot } from '../control-plane/index.ts';
import type { FileSource, Standing } from '../sources/index.ts';

export interface Sides {
  readonly source: Pick<FileSource, 'idsOf'>;
  readonly pilot: Pick<Pilot, 'standing'>;
}

/** A line for each resource, or damaged file, that the errors are about. */
export function standingLines(issues: readonly Issue[], sides: Sides): readonly string[] {
  const lines = issues.filter(({ severity }) => severity === 'error').map((issue) => lineOf(issue, sides));
  return [...new Set(lines)];
}

const sentences: Readonly<Record<Standing, string>> = {
  current: 'is in force as it is',
  previous: 'the version before stays in force until this is right',
  absent: 'is not in force until this is right',
};

function lineOf({ origin }: Issue, { source, pilot }: Sides): string {
  const { kind, namespace, name, file = '' } = origin;
  if (name === '') {
    const what = source.idsOf(file).some((id) => pilot.standing(id) !== 'absent')
      ? 'what its damaged part held before stays in force'
      : 'nothing of its damaged part is in force';
    return `${file}: ${what}`;
  }
  const id = { kind: kind as AnyConfig['kind'], namespace, name };
  return `${resourceName(origin)}: ${sentences[pilot.standing(id)]}`;
}
