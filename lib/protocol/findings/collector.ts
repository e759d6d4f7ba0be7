// Gathers the findings of one reading, in the order of the input and bounded in number.
import type { Finding } from './finding';
import { FINDINGS, finding } from './catalog';
import type { FindingCode, FindingDetail } from './catalog';

/** More of one code than this teach nobody anything, and 64 KiB of line ends would give 65536. */
const MOST_OF_A_CODE = 10;

/** Keeps the first ten findings of each code; the first of them says how many there were. */
export class FindingCollector {
  private readonly kept: { readonly code: FindingCode; readonly detail: FindingDetail; readonly first: boolean }[] = [];
  /** Made with the first finding: most inputs have none. */
  private counts?: Map<FindingCode, number>;
  private errors = false;

  /** Whether nothing worse than a warning was found. */
  public get valid(): boolean {
    return !this.errors;
  }

  public add(code: FindingCode, detail: FindingDetail): void {
    this.counts ??= new Map();
    const before = this.counts.get(code) ?? 0;
    this.counts.set(code, before + 1);
    if (FINDINGS[code].severity === 'error') this.errors = true;
    if (before < MOST_OF_A_CODE) this.kept.push({ code, detail, first: before === 0 });
  }

  /** By line, then by column. */
  public list(): readonly Finding[] {
    if (this.kept.length === 0) return [];
    return [...this.kept]
      .sort((a, b) => a.detail.line - b.detail.line || a.detail.column - b.detail.column)
      .map(({ code, detail, first }) => finding(code, first ? this.counted(code, detail) : detail));
  }

  private counted(code: FindingCode, detail: FindingDetail): FindingDetail {
    const count = this.counts?.get(code) ?? 1;
    return count > MOST_OF_A_CODE
      ? { ...detail, message: `${detail.message} (${count} such in all, the first ${MOST_OF_A_CODE} are listed)` }
      : detail;
  }
}
