// Takes secrets out of configuration before it is shown.

const secretFields = new Set(['private_key', 'password', 'pkcs12', 'session_ticket_keys', 'token']);
const mark = '[redacted]';

/** The JSON of a message, with inline contents of secret fields replaced. */
export function redacted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      secretFields.has(key) ? blank(inner) : redacted(inner),
    ]),
  );
}

function blank(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(blank);
  if (typeof value !== 'object' || value === null) return mark;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, blankField(key, inner)]));
}

function blankField(key: string, value: unknown): unknown {
  if (key === 'filename' || key === 'environment_variable') return value;
  if (key === 'inline_bytes') return Buffer.from(mark).toString('base64');
  return blank(value);
}
