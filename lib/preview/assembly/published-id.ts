// Computes the id that the Publication would create. The preview does this instead of the function.
import { policyHash, renderPolicyId } from '../../protocol/policy/id';
import { policyText } from '../../contract/custom-resources';
import { Unresolved, scalarText } from './intrinsics';
import { at, itemsOf } from '../json';

/** Type of the resource that writes a policy file and creates its id. */
export const PUBLICATION = 'Custom::MtaStsPublication';

/**
 * Returns the id, or `Unresolved` if the policy cannot be evaluated.
 *
 * @param properties - evaluated properties of the resource
 * @param time - time of the publication, in milliseconds since the epoch
 */
export function createPublishedId(properties: unknown, time: number): unknown {
  // Templates of releases before 0.2 contain the id.
  const idInTemplate = scalarText(at(properties, 'PolicyId'));
  if (idInTemplate !== undefined) return idInTemplate;
  const lines = itemsOf(at(properties, 'Policy'));
  const unknown = [at(properties, 'Policy'), ...lines].find((line) => line instanceof Unresolved);
  return unknown ?? renderPolicyId(time, policyHash(policyText(lines.map((line) => scalarText(line) ?? ''))));
}
