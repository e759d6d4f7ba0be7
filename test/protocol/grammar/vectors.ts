// Reads test/vectors: test cases for every implementation of the two RFCs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The common fields of all cases. */
export interface Vector {
  readonly id: string;
  readonly name: string;
  /** True where the RFC is ambiguous: both verdicts are correct, and a finding must warn. */
  readonly ambiguous?: boolean;
  /** Known implementations with the other verdict. */
  readonly dissent?: readonly string[];
  /** Known implementations that accept the input and read another value. */
  readonly valueDissent?: readonly string[];
}

/** A case of `record.json` or `tlsrpt.json`. */
export interface TxtVector extends Vector {
  readonly input: string | readonly (string | readonly string[])[];
  readonly expect: 'valid' | 'invalid' | 'none' | 'multiple';
  readonly parsed?: { readonly id?: string; readonly rua?: readonly string[] };
}

/** A case of `policy.json`. */
export interface PolicyVector extends Vector {
  readonly input?: string;
  readonly inputBase64?: string;
  readonly expect: 'valid' | 'invalid';
  readonly parsed?: { readonly mode: string; readonly max_age: number; readonly mx: readonly string[] };
}

/** A case of `mxmatch.json`. */
export interface MatchVector extends Vector {
  readonly pattern: string;
  readonly host: string;
  readonly expect: boolean;
}

interface VectorFiles {
  readonly record: TxtVector;
  readonly tlsrpt: TxtVector;
  readonly policy: PolicyVector;
  readonly mxmatch: MatchVector;
}

/** Returns all cases of one file. */
export function vectors<K extends keyof VectorFiles>(file: K): readonly VectorFiles[K][] {
  return JSON.parse(readFileSync(join(__dirname, '..', '..', 'vectors', `${file}.json`), 'utf8')) as readonly VectorFiles[K][];
}
