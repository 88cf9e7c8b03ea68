export * from './config-update.ts';
export * from './files.ts';
export { readText } from './read-text.ts';
