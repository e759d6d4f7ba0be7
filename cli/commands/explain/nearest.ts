// What a person probably meant to type.
import { editDistance } from '../../../lib/util/edit-distance';

/** Beyond this a word is another word, not a slip. */
const MOST_EDITS = 3;

/** Longer than any word that it is compared with; the distance takes the product of both lengths. */
const LONGEST = 80;

/**
 * The words that are nearest to what was typed: by few slips, or because they hold it whole.
 *
 * @param most - how many to give
 */
export function nearest(typed: string, words: readonly string[], most = 3): readonly string[] {
  const text = typed.toLowerCase().replace(/[_\s]+/g, '-').slice(0, LONGEST);
  if (text === '') return [];
  return words
    .map((word) => ({ word, distance: distanceOf(text, word) }))
    .filter(({ distance }) => distance <= MOST_EDITS)
    .sort((one, other) => one.distance - other.distance)
    .slice(0, most)
    .map(({ word }) => word);
}

/** A part of the word that ends where a part of it ends is as good as two slips. */
function distanceOf(text: string, word: string): number {
  const within = text.length > 2 && `-${word}-`.includes(`-${text}-`) ? 2 : Infinity;
  return Math.min(within, editDistance(text, word));
}
