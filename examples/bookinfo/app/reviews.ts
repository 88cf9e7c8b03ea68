// What readers say of a book. The first version knows no stars; the others ask the ratings for them and show
// them in a colour of their own.
import { call, callerOf, podName, serve, tracing, version } from './service.ts';

const stars = process.env['STARS'];

serve({
  '/reviews/0': async (request) => {
    // The title is the same for everybody, so this call does not say for whom it is.
    const [title, ratings] = await Promise.all([
      call('http://productpage:9080/api/v1/products/0', request.headers, tracing),
      stars ? call('http://ratings:9080/ratings/0', request.headers) : undefined,
    ]);
    return {
      body: {
        id: 0,
        title: title.body,
        reviews: [
          {
            reviewer: 'Reviewer1',
            text: 'An extremely entertaining play. The slapstick humour is refreshing!',
            ...rating(ratings, 'Reviewer1'),
          },
          {
            reviewer: 'Reviewer2',
            text: 'Absolutely fun and entertaining, though it lacks thematic depth.',
            ...rating(ratings, 'Reviewer2'),
          },
        ],
        ratings: ratings?.body,
        servedBy: { pod: podName, version, caller: callerOf(request) },
      },
    };
  },
});

function rating(ratings: Awaited<ReturnType<typeof call>> | undefined, reviewer: string): object {
  if (!ratings) return {};
  const { ratings: given } = (ratings.body ?? {}) as { ratings?: Record<string, number> };
  return {
    rating:
      given?.[reviewer] === undefined
        ? { error: 'ratings are not available' }
        : { stars: given[reviewer], color: stars },
  };
}
