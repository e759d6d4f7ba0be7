// Decodes the content coding of a body (RFC 9110 §8.4) within the size limit of a policy file.
import * as zlib from 'node:zlib';
import { trimBlanks } from '../../util/safe-text';

/** A decoded body, empty or longer than the limit if it is too large; or the problem with its coding. */
type DecodedBody
  = | { readonly body: Uint8Array; readonly tooLarge: boolean }
    | { readonly problem: string };

/** Returns the codings of a Content-Encoding header in the order in which they were applied. `identity` is not a coding. */
export function parseCodings(header: string): readonly string[] {
  return header.split(',').map((coding) => trimBlanks(coding).toLowerCase()).filter((coding) => coding !== '' && coding !== 'identity');
}

/**
 * Decodes a body, the last coding first.
 *
 * @param limit - maximum size of the result in bytes; a decoder stops there
 */
export function decodeBody(body: Uint8Array, codings: readonly string[], limit: number): DecodedBody {
  let bytes = body;
  if (codings.length > MAX_CODINGS) return { problem: `more than ${MAX_CODINGS} codings were applied` };
  for (const coding of [...codings].reverse()) {
    const decode = DECODERS.get(coding);
    if (decode === undefined) return { problem: UNKNOWN_CODING };
    try {
      bytes = decode(bytes, limit);
    } catch (error) {
      if (isTooLarge(error)) return { body: new Uint8Array(0), tooLarge: true };
      return { problem: 'the coded data is damaged or incomplete' };
    }
  }
  return { body: bytes, tooLarge: bytes.length > limit };
}

/** The problem of a coding without a decoder here. */
export const UNKNOWN_CODING = 'the coding is not known';

/** Maximum number of codings. Real servers apply at most two, and each costs the same time again. */
const MAX_CODINGS = 3;

type Decoder = (bytes: Uint8Array, limit: number) => Uint8Array;

const gunzip: Decoder = (bytes, maxOutputLength) => zlib.gunzipSync(bytes, { maxOutputLength });

/** Decodes zlib's format (RFC 9110 §8.4.1.2), and also the bare data that some servers send instead. */
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
  ...zstandardDecoder(zlib),
]);

/** Returns the decoder for `zstd`, which Node and its types have from 22.15 on. Limits the window to 8 MiB to save memory (RFC 9659 §3). */
export function zstandardDecoder(library: { readonly constants: object }): (readonly [string, Decoder])[] {
  const decompress: unknown = Reflect.get(library, 'zstdDecompressSync');
  const windowLogMax: unknown = Reflect.get(library.constants, 'ZSTD_d_windowLogMax');
  if (typeof decompress !== 'function' || typeof windowLogMax !== 'number') return [];
  return [['zstd', (bytes, maxOutputLength) => {
    const decoded: unknown = Reflect.apply(decompress, undefined, [bytes, { maxOutputLength, params: { [windowLogMax]: 23 } }]);
    if (ArrayBuffer.isView(decoded)) return Buffer.from(decoded.buffer, decoded.byteOffset, decoded.byteLength);
    throw new TypeError('zstdDecompressSync returned no bytes');
  }]];
}

function isTooLarge(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
