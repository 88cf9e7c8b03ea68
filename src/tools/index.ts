export * from './analyze/index.ts';
