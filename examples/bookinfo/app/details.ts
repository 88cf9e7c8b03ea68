// Facts about a book.
import { callerOf, podName, serve, version } from './service.ts';

serve({
  '/details/0': (request) => ({
    body: {
      id: 0,
      author: 'William Shakespeare',
      year: 1595,
      type: 'paperback',
      pages: 200,
      publisher: 'PublisherA',
      language: 'English',
      isbn: '1234567890',
      servedBy: { pod: podName, version, caller: callerOf(request) },
    },
  }),
});
