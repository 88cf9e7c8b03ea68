/** Ends an exhaustive `switch`: the compiler refuses the call while an alternative is unhandled. */
export function unreachable(value: never): never {
  throw new Error(`unhandled alternative: ${JSON.stringify(value)}`);
}
