// What tests of HTTP/2 connections note down: its streams answer over several turns of the event loop.

/** Takes all lines out of the log once none has come for eight turns. */
export async function takenWhenQuiet(log: string[]): Promise<readonly string[]> {
  for (let quiet = 0, length = 0; quiet < 8; quiet++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (log.length !== length) quiet = 0;
    length = log.length;
  }
  return log.splice(0);
}
