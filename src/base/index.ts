export * from './duration.ts';
export * from './equal.ts';
export * from './hash.ts';
export * from './issue.ts';
export * from './memo.ts';
export * from './origin.ts';
export * from './table.ts';
export * from './unreachable.ts';
