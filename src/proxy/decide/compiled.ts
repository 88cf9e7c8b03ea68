// What is made of a plan so that it need not be read again for each request: matchers, regular expressions,
// formats. Plans and decisions stay plain values by it.

/**
 * Made when first asked for, so that a large configuration costs little before it has traffic; forgotten with
 * the plan.
 */
export function compiledOnce<P extends object, V>(compile: (plan: P) => V): (plan: P) => V {
  const made = new WeakMap<P, V>();
  return (plan) => {
    const known = made.get(plan);
    if (known !== undefined) return known;
    const value = compile(plan);
    made.set(plan, value);
    return value;
  };
}
