// Reads the case files of a folder tree and checks that each is what the format allows.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Behaviour, Case, Request } from './case.ts';
import {
  behaviourFields,
  caseFields,
  checkFields,
  clientFields,
  compareFields,
  isObject,
  observeFields,
  outcomeFields,
  requestFields,
  tlsFields,
} from './case-schema.ts';

export class CaseError extends Error {
  override readonly name = 'CaseError';
}

const defaultServerIdentity = 'spiffe://cluster.local/ns/default/sa/default';
/** Folders beside the cases that hold none. */
const notCases: ReadonlySet<string> = new Set(['runner', 'baseline', 'tools']);

/** Every case below `root`, by name. Throws a CaseError that names each file with a mistake. */
export function loadCases(root: string): readonly Case[] {
  const problems: string[] = [];
  const cases = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !notCases.has(entry.name))
    .flatMap((folder) =>
      readdirSync(join(root, folder.name))
        .filter((file) => file.endsWith('.yaml'))
        .map((file) =>
          readCase(
            readFileSync(join(root, folder.name, file), 'utf8'),
            `${folder.name}/${file.slice(0, -'.yaml'.length)}`,
            problems,
          ),
        ),
    );
  if (problems.length > 0) throw new CaseError(problems.join('\n'));
  return cases.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** One case of its text; mistakes are added to `problems`. */
export function readCase(text: string, name: string, problems: string[]): Case {
  const value: unknown = parse(text);
  const found = checkCase(value, name);
  problems.push(...found);
  const raw = (isObject(value) ? value : {}) as Partial<Case>;
  return {
    name,
    folder: name.slice(0, name.indexOf('/')),
    about: raw.about ?? '',
    client: raw.client ?? {},
    mesh: raw.mesh ?? {},
    config: raw.config ?? '',
    upstreams: raw.upstreams ?? {},
    dns: raw.dns ?? {},
    ports: raw.ports ?? [],
    serverIdentity: raw.serverIdentity ?? defaultServerIdentity,
    ...(raw.rejected === undefined ? {} : { rejected: raw.rejected }),
    ...(raw.nacks === undefined ? {} : { nacks: raw.nacks }),
    ...(raw.settleMs === undefined ? {} : { settleMs: raw.settleMs }),
    // What a refused configuration would have been asked is never sent.
    requests: raw.rejected === undefined ? (raw.requests ?? []) : [],
  };
}

function checkCase(value: unknown, name: string): readonly string[] {
  const problems = [...checkFields(value, caseFields, name)];
  if (problems.length > 0 || !isObject(value)) return problems;
  const raw = value as Partial<Case>;
  if (raw.config === undefined) problems.push(`${name} has no config`);
  if (raw.client !== undefined) problems.push(...checkFields(raw.client, clientFields, `${name}.client`));
  for (const [key, behaviour] of Object.entries<Behaviour>(raw.upstreams ?? {}))
    problems.push(...checkFields(behaviour, behaviourFields, `${name}.upstreams.${key}`));
  (raw.requests ?? []).forEach((request, index) => {
    problems.push(...checkRequest(request, `${name}.requests[${index}]`, raw.rejected === undefined));
  });
  const tests = raw.rejected !== undefined || (raw.requests ?? []).length > 0;
  return tests ? problems : [...problems, `${name} neither sends a request nor says that it is rejected`];
}

function checkRequest(request: Request, where: string, isSent: boolean): readonly string[] {
  const own = checkFields(request, requestFields, where);
  if (own.length > 0) return own;
  const parts = [
    [request.observe, observeFields, 'observe'],
    [request.compare, compareFields, 'compare'],
    [request.tls, tlsFields, 'tls'],
    [request.expect, outcomeFields, 'expect'],
    [request.ours, outcomeFields, 'ours'],
    [request.oursEmbedded, outcomeFields, 'oursEmbedded'],
  ] as const;
  const inner = parts.flatMap(([part, fields, name]) =>
    part === undefined ? [] : checkFields(part, fields, `${where}.${name}`),
  );
  const missing = isSent && request.expect === undefined ? [`${where} says nothing of what to expect`] : [];
  const noTarget = /:\d+$/.test(request.connect ?? '') ? [] : [`${where}.connect is not host:port`];
  return [...inner, ...missing, ...noTarget];
}
