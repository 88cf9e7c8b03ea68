export * from './analyze.ts';
export { isChecked, issuesOf } from './checks.ts';
export * from './findings.ts';
