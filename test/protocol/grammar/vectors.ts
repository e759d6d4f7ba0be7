// Reads test/vectors: the cases that every implementation of the two RFCs is held to.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What every case has. */
export interface Vector {
  readonly id: string;
  readonly name: string;
  /** The RFC itself is undecided: either verdict will do if a warning says so. */
  readonly ambiguous?: boolean;
  /** Implementations with the other verdict. */
  readonly dissent?: readonly string[];
  /** Implementations that accept it and read another value. */
  readonly valueDissent?: readonly string[];
}

/** `record.json` and `tlsrpt.json`. */
export interface TxtVector extends Vector {
  readonly input: string | readonly (string | readonly string[])[];
  readonly expect: 'valid' | 'invalid' | 'none' | 'multiple';
  readonly parsed?: { readonly id?: string; readonly rua?: readonly string[] };
}

export interface PolicyVector extends Vector {
  readonly input?: string;
  readonly inputBase64?: string;
  readonly expect: 'valid' | 'invalid';
  readonly parsed?: { readonly mode: string; readonly max_age: number; readonly mx: readonly string[] };
}

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

/** All cases of one file. */
export function vectors<K extends keyof VectorFiles>(file: K): readonly VectorFiles[K][] {
  return JSON.parse(readFileSync(join(__dirname, '..', '..', 'vectors', `${file}.json`), 'utf8')) as readonly VectorFiles[K][];
}
