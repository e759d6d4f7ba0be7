// The id that a Publication would make if it published now: the preview stands in for the function.
import { policyHash, renderPolicyId } from '../../protocol/policy/id';
import { policyText } from '../../contract/custom-resources';
import { Unresolved, scalarText } from './intrinsics';
import { at, itemsOf } from '../json';

/** What puts a policy file there and makes its id. */
export const PUBLICATION = 'Custom::MtaStsPublication';

/**
 * Returns the id.
 *
 * @param properties - of the resource, evaluated
 * @param time - of the publication, in milliseconds since the epoch
 */
export function publishedId(properties: unknown, time: number): unknown {
  // Templates of releases before 0.2 name it themselves.
  const given = scalarText(at(properties, 'PolicyId'));
  if (given !== undefined) return given;
  const lines = itemsOf(at(properties, 'Policy'));
  const unknown = [at(properties, 'Policy'), ...lines].find((line) => line instanceof Unresolved);
  return unknown ?? renderPolicyId(time, policyHash(policyText(lines.map((line) => scalarText(line) ?? ''))));
}
