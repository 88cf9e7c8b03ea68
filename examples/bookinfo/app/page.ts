// The product page as HTML. It needs no script.
import type { CallResult } from './service.ts';

interface ServedBy {
  readonly pod: string;
  readonly version: string;
  readonly caller?: string;
}

export interface PageFacts {
  readonly product: { readonly title: string; readonly description: string };
  readonly user: string | undefined;
  readonly servedBy: ServedBy;
  readonly details: CallResult;
  readonly reviews: CallResult;
}

interface Review {
  readonly reviewer: string;
  readonly text: string;
  readonly rating?: { readonly stars?: number; readonly color?: string; readonly error?: string };
}

interface ReviewsBody {
  readonly reviews: readonly Review[];
  readonly title?: { readonly servedBy?: ServedBy };
  readonly ratings?: { readonly servedBy?: ServedBy };
  readonly servedBy: ServedBy;
}

const style = `
  :root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0b6e99 }
  * { box-sizing: border-box }
  body { margin: 0; font: 16px/1.55 system-ui, sans-serif }
  header { display: flex; gap: 1rem; align-items: center; flex-wrap: wrap; padding: .8rem 1.5rem; border-bottom: 1px solid var(--line) }
  header strong { margin-right: auto }
  main { max-width: 62rem; margin: 0 auto; padding: 1.5rem }
  h1 { margin: .2rem 0; font-size: 2rem } h2 { font-size: 1.15rem; margin: 0 0 .6rem }
  .grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1rem; margin-top: 1.2rem }
  section { border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.2rem }
  dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem 1rem; margin: 0 } dt { opacity: .65 } dd { margin: 0; overflow-wrap: anywhere }
  blockquote { margin: 0 0 .9rem } blockquote footer { opacity: .65 }
  .stars { letter-spacing: .1em; font-size: 1.1rem }
  .badge { background: var(--soft); border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .6rem; font-size: .85rem }
  .error { color: #c0392b }
  table { border-collapse: collapse; width: 100%; font-size: .92rem } td, th { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
  input, button { font: inherit; padding: .25rem .6rem; border: 1px solid var(--line); border-radius: .4rem } button { background: var(--accent); color: #fff }
  a { color: var(--accent) }`;

export function page({ product, user, servedBy, details, reviews }: PageFacts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${html(product.title)}</title>
<style>${style}</style>
</head>
<body>
<header><strong>Bookinfo</strong> <span class="badge">productpage ${html(servedBy.version)}</span> ${session(user)}</header>
<main>
<h1>${html(product.title)}</h1>
<p>${html(product.description)}</p>
<div class="grid">
<section><h2>Details</h2>${detailsList(details)}</section>
<section><h2>Reviews</h2>${reviewList(reviews)}</section>
</div>
<div class="grid"><section><h2>Who answered</h2>${answeredTable(servedBy, details, reviews)}</section></div>
</main>
</body>
</html>
`;
}

function session(user: string | undefined): string {
  if (user !== undefined)
    return `<span>signed in as <b>${html(user)}</b></span> <a href="/logout">sign out</a>`;
  return `<form method="post" action="/login"><input name="username" placeholder="alice, bob, you" aria-label="user name" required> <button>Sign in</button></form>`;
}

function detailsList({ status, body, error }: CallResult): string {
  if (status !== 200) return problem('Details', status, error);
  const { servedBy: _, id: __, ...facts } = body as Record<string, unknown>;
  return `<dl>${Object.entries(facts)
    .map(([name, value]) => `<dt>${html(name)}</dt><dd>${html(String(value))}</dd>`)
    .join('')}</dl>`;
}

function reviewList({ status, body, error }: CallResult): string {
  if (status !== 200) return problem('Reviews', status, error);
  return (body as ReviewsBody).reviews
    .map(
      ({ reviewer, text, rating }) =>
        `<blockquote>${html(text)}<footer>${html(reviewer)} ${starsText(rating)}</footer></blockquote>`,
    )
    .join('');
}

function starsText(rating: Review['rating']): string {
  if (!rating) return '';
  if (rating.stars === undefined) return `<span class="error">${html(rating.error ?? 'no rating')}</span>`;
  const color = rating.color === 'red' ? '#c0392b' : 'inherit';
  return `<span class="stars" style="color:${color}" title="${rating.stars} of 5">${'★'.repeat(rating.stars)}${'☆'.repeat(5 - rating.stars)}</span>`;
}

function answeredTable(own: ServedBy, details: CallResult, reviews: CallResult): string {
  const inner = reviews.status === 200 ? (reviews.body as ReviewsBody) : undefined;
  const rows: readonly (readonly [string, ServedBy | undefined])[] = [
    ['productpage', own],
    ['details', details.status === 200 ? (details.body as { servedBy?: ServedBy }).servedBy : undefined],
    ['reviews', inner?.servedBy],
    ['ratings, for the reviews', inner?.ratings?.servedBy],
    ['productpage, for the reviews', inner?.title?.servedBy],
  ];
  const cells = rows.flatMap(([service, served]) =>
    served
      ? [
          `<tr><td>${service}</td><td>${html(served.pod)}</td><td>${html(served.version)}</td><td>${html(served.caller ?? 'plain text')}</td></tr>`,
        ]
      : [],
  );
  return `<table><tr><th>service</th><th>pod</th><th>version</th><th>called by (mutual TLS)</th></tr>${cells.join('')}</table>`;
}

function problem(what: string, status: number, error: string | undefined): string {
  return `<p class="error">${what} are not available now (${status === 0 ? html(error ?? 'no answer') : `HTTP ${status}`}).</p>`;
}

function html(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
