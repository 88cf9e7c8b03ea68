// How many stars each reviewer gives.
import { callerOf, podName, serve, version } from './service.ts';

serve({
  '/ratings/0': (request) => ({
    body: {
      ratings: { Reviewer1: 5, Reviewer2: 4 },
      servedBy: { pod: podName, version, caller: callerOf(request) },
    },
  }),
});
