// What an authority (the Host field, `:authority`) may be made of: RFC 3986 section 3.2 without the
// characters that end or split it elsewhere.

const allowed = new Uint8Array(256);
for (const c of "!$%&'()*+,-.0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~")
  allowed[c.charCodeAt(0)] = 1;

/** The one found good last: most requests of a moment are for few hosts. */
let known = '';

export function validAuthority(authority: string): boolean {
  if (authority === known) return true;
  for (let i = 0; i < authority.length; i++) if (allowed[authority.charCodeAt(i)] !== 1) return false;
  known = authority;
  return true;
}
