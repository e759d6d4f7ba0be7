// Distance between two words, to suggest the word that a misspelled one meant.

/** Returns the Levenshtein distance: the number of inserted, deleted or replaced characters that turn one word into the other. */
export function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, character] of Array.from(one).entries()) {
    let left = i + 1;
    row = row.map((above, j) => {
      if (j === 0) return left;
      left = Math.min(above + 1, left + 1, (row.at(j - 1) ?? 0) + (character === other.charAt(j - 1) ? 0 : 1));
      return left;
    });
  }
  return row.at(-1) ?? 0;
}
