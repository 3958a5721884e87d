/**
 * A number in 0..2^32-1 for a key and a name (FNV-1a with a final mix). Of several names the one with the
 * highest score serves the key: when a name goes or comes, only the keys that it serves move.
 */
export function rendezvousScore(key: string, name: string): number {
  let hash = mixIn(0x811c9dc5, key);
  hash = Math.imul(hash ^ 0xff, 0x01000193);
  hash = mixIn(hash, name);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixIn(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
