export * from './config-update.ts';
export * from './files.ts';
