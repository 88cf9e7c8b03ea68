// What a command operator is: reads one thing from an exchange.
import type { FormatContext } from './format-context.ts';

/** Numbers and structures stay what they are where the format has types. */
export type OperatorValue = string | number | object | undefined;
export type Operator = (context: FormatContext) => OperatorValue;
