// Undoes the content coding of a body (RFC 9110 §8.4), within the size limit of a policy file.
import * as zlib from 'node:zlib';
import { trimBlanks } from '../../util/safe-text';

/** A body that is decoded, cut at the limit, or why it cannot be. */
export type Decoded
  = | { readonly body: Uint8Array; readonly tooLarge: boolean }
    | { readonly fault: string };

/** The codings of a Content-Encoding header, in the order in which they were applied; `identity` is none. */
export function codingsOf(header: string): readonly string[] {
  return header.split(',').map((one) => trimBlanks(one).toLowerCase()).filter((one) => one !== '' && one !== 'identity');
}

/**
 * Undoes them, the last first.
 *
 * @param limit - the longest result in bytes; no more than this is ever decoded
 */
export function decodeBody(body: Uint8Array, codings: readonly string[], limit: number): Decoded {
  let bytes = body;
  // Each costs as much again, and nobody applies more than two.
  if (codings.length > MOST_CODINGS) return { fault: `more than ${MOST_CODINGS} codings were applied` };
  for (const coding of [...codings].reverse()) {
    const decode = DECODERS.get(coding);
    if (decode === undefined) return { fault: UNKNOWN_CODING };
    try {
      bytes = decode(bytes, limit);
    } catch (error) {
      if (isTooLarge(error)) return { body: new Uint8Array(0), tooLarge: true };
      return { fault: 'the coded data is damaged or incomplete' };
    }
  }
  return { body: bytes, tooLarge: bytes.length > limit };
}

/** The fault of a coding that nothing here undoes. */
export const UNKNOWN_CODING = 'the coding is not known';

type Decoder = (bytes: Uint8Array, limit: number) => Uint8Array;

const MOST_CODINGS = 3;

const gunzip: Decoder = (bytes, maxOutputLength) => zlib.gunzipSync(bytes, { maxOutputLength });

/** RFC 9110 §8.4.1.2: zlib's format; some servers send the bare data all the same. */
const inflate: Decoder = (bytes, maxOutputLength) => {
  try {
    return zlib.inflateSync(bytes, { maxOutputLength });
  } catch (error) {
    if (isTooLarge(error)) throw error;
    return zlib.inflateRawSync(bytes, { maxOutputLength });
  }
};

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', inflate],
  ['br', (bytes, maxOutputLength) => zlib.brotliDecompressSync(bytes, { maxOutputLength })],
  ...zstandard(zlib),
]);

/** Node has it from 22.15 on, and its types from there on too. RFC 9659 §3 limits the window to 8 MiB, which keeps memory small. */
export function zstandard(library: { readonly constants: object }): (readonly [string, Decoder])[] {
  const decompress: unknown = Reflect.get(library, 'zstdDecompressSync');
  const windowLogMax: unknown = Reflect.get(library.constants, 'ZSTD_d_windowLogMax');
  if (typeof decompress !== 'function' || typeof windowLogMax !== 'number') return [];
  return [['zstd', (bytes, maxOutputLength) => {
    const decoded: unknown = Reflect.apply(decompress, undefined, [bytes, { maxOutputLength, params: { [windowLogMax]: 23 } }]);
    if (ArrayBuffer.isView(decoded)) return Buffer.from(decoded.buffer, decoded.byteOffset, decoded.byteLength);
    throw new TypeError('no bytes came out');
  }]];
}

function isTooLarge(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
