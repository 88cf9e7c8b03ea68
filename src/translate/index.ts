export * from './encoded-resource.ts';
export * from './names.ts';
export * from './translator.ts';
export { type View, viewOf } from './view.ts';
