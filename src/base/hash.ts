/**
 * Two independent 32-bit FNV-style sums over the bytes, as 16 hex digits. For versions and cache keys, not
 * for security.
 */
export function hashBytes(bytes: Uint8Array): string {
  let a = 0x811c9dc5;
  let b = 0xcbf29ce4;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return hex(a) + hex(b ^ bytes.length);
}

export function hashText(text: string): string {
  return hashBytes(new TextEncoder().encode(text));
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
