export * from './certificate-authority.ts';
export * from './spiffe-id.ts';
export * from './workload-certificates.ts';
