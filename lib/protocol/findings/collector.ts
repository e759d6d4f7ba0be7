// Collects the findings of one input, sorted by position and limited in number.
import type { Finding } from './finding';
import { FINDINGS, finding } from './catalog';
import type { FindingCode, FindingDetail } from './catalog';

/** Maximum number of findings with the same code. More would add no information, and 64 KiB of line ends would give 65536. */
const MAX_OF_A_CODE = 10;

/** Keeps the first findings of each code. The first one states the total. */
export class FindingCollector {
  private readonly kept: { readonly code: FindingCode; readonly detail: FindingDetail; readonly first: boolean }[] = [];
  /** Created with the first finding, because most inputs have none. */
  private counts?: Map<FindingCode, number>;
  private errors = false;

  /** Whether no error was found. */
  public get valid(): boolean {
    return !this.errors;
  }

  /** Adds a finding. */
  public add(code: FindingCode, detail: FindingDetail): void {
    this.counts ??= new Map();
    const before = this.counts.get(code) ?? 0;
    this.counts.set(code, before + 1);
    if (FINDINGS[code].severity === 'error') this.errors = true;
    if (before < MAX_OF_A_CODE) this.kept.push({ code, detail, first: before === 0 });
  }

  /** Returns the findings, sorted by line and column. */
  public list(): readonly Finding[] {
    if (this.kept.length === 0) return [];
    return [...this.kept]
      .sort((a, b) => a.detail.line - b.detail.line || a.detail.column - b.detail.column)
      .map(({ code, detail, first }) => finding(code, first ? this.withCount(code, detail) : detail));
  }

  private withCount(code: FindingCode, detail: FindingDetail): FindingDetail {
    const count = this.counts?.get(code) ?? 1;
    return count > MAX_OF_A_CODE
      ? { ...detail, message: `${detail.message} (${count} such in all, the first ${MAX_OF_A_CODE} are listed)` }
      : detail;
  }
}
