/** Exit codes that scripts may rely on. */
export const exitCodes = {
  ok: 0,
  /** The input has errors. */
  findings: 1,
  /** Wrong arguments, or something that cannot be read or opened. */
  usage: 2,
} as const;
