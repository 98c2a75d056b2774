/** BLAKE2s (RFC 7693), unkeyed, with a digest length of one's choice: OpenSSL, and so node:crypto, offers 32 bytes only. */

const INITIAL = Uint32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);

/** Order in which the words of a block enter each of the ten rounds. */
const SCHEDULE: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/** Columns, then diagonals, of the 4 x 4 state. */
const LANES: readonly (readonly [number, number, number, number])[] = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];

const BLOCK_BYTES = 64;

function rotateRight(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}

function compress(hash: Uint32Array, block: DataView, bytesSoFar: number, isLast: boolean): void {
  const state = new Uint32Array(16);
  state.set(hash);
  state.set(INITIAL, 8);
  state[12]! ^= bytesSoFar >>> 0;
  state[13]! ^= Math.floor(bytesSoFar / 2 ** 32);
  if (isLast) state[14] = ~state[14]!;
  for (const order of SCHEDULE) {
    for (const [lane, [a, b, c, d]] of LANES.entries()) {
      const first = block.getUint32(4 * order[2 * lane]!, true);
      const second = block.getUint32(4 * order[2 * lane + 1]!, true);
      state[a] = state[a]! + state[b]! + first;
      state[d] = rotateRight(state[d]! ^ state[a], 16);
      state[c] = state[c]! + state[d];
      state[b] = rotateRight(state[b]! ^ state[c], 12);
      state[a] = state[a] + state[b] + second;
      state[d] = rotateRight(state[d] ^ state[a], 8);
      state[c] = state[c] + state[d];
      state[b] = rotateRight(state[b] ^ state[c], 7);
    }
  }
  for (let word = 0; word < 8; word++) hash[word]! ^= state[word]! ^ state[word + 8]!;
}

/**
 * Lower-case hexadecimal digest of `digestBytes` (1..32) bytes. The length takes part in the hash: a digest of 16 bytes is not the
 * beginning of one of 32.
 */
export function blake2s(message: Uint8Array, digestBytes: number): string {
  const hash = Uint32Array.from(INITIAL);
  hash[0]! ^= 0x01010000 ^ digestBytes;
  const blocks = Math.max(1, Math.ceil(message.length / BLOCK_BYTES));
  for (let index = 0; index < blocks; index++) {
    const block = new Uint8Array(BLOCK_BYTES);
    const end = Math.min(message.length, (index + 1) * BLOCK_BYTES);
    block.set(message.subarray(index * BLOCK_BYTES, end));
    compress(hash, new DataView(block.buffer), end, index === blocks - 1);
  }
  const digest = new DataView(new ArrayBuffer(32));
  hash.forEach((word, index) => digest.setUint32(4 * index, word, true));
  return Buffer.from(digest.buffer, 0, digestBytes).toString("hex");
}
