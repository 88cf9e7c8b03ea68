// google.protobuf.Duration as milliseconds.
import type { Duration } from '@bufbuild/protobuf/wkt';

export function millis(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

/** What setTimeout can hold; longer waits are as good as none. */
export const longestTimer = 0x7fffffff;
