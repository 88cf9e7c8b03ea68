export * from './build.ts';
export * from './decode.ts';
export * from './findings.ts';
export * from './path.ts';
export { lineProblem } from './scalar.ts';
export * from './shape.ts';
export * from './suggest.ts';
