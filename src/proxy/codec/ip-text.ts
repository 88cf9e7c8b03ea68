// Whether a text is an IP address, told without the system: as strict as inet_pton.

export function isIpv4(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text);
}

/** A zone (`%eth0`) may follow. */
export function isIpv6(text: string): boolean {
  const [address = '', zone, ...more] = text.split('%');
  if (zone === '' || more.length > 0) return false;
  const [head = '', tail, ...others] = address.split('::');
  if (others.length > 0) return false;
  if (tail === undefined) return groupsIn(head, true) === 8;
  const count = (head === '' ? 0 : groupsIn(head, false)) + (tail === '' ? 0 : groupsIn(tail, true));
  return count <= 7;
}

/** 4, 6, or 0 for what is no address. */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (isIpv4(text)) return 4;
  return text.includes(':') && isIpv6(text) ? 6 : 0;
}

/** How many groups of 16 bits; NaN when one is none. The last two may be written as IPv4. */
function groupsIn(text: string, mayEndInIpv4: boolean): number {
  const groups = text.split(':');
  const last = groups.at(-1) ?? '';
  const endsInIpv4 = mayEndInIpv4 && isIpv4(last);
  const hex = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!hex.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return Number.NaN;
  return endsInIpv4 ? hex.length + 2 : hex.length;
}
