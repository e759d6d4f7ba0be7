// Reads what a synthesized app will publish: its policies, their distributions and its reporting records.
import { readAssembly } from '../../../lib/preview/assembly/assembly';
import type { Assembly, Publication } from '../../../lib/preview/assembly/assembly';
import { PreviewError } from '../../../lib/preview/errors';
import { readValue } from '../../../lib/preview/assembly/record-values';
import { policyHostName } from '../../../lib/protocol/policy/url';
import { reportingName } from '../../../lib/protocol/records/record-names';
import { safeText } from '../../../lib/util/safe-text';

/** One domain of the app. */
export interface AppDomain {
  readonly domain: string;
  /** The policy file as the deployment will serve it. */
  readonly policy: Uint8Array;
  /** The distribution that serves it, `Stack/LogicalId`. Missing if the app has none. */
  readonly distribution?: string;
  /** The text of the app's record at `_smtp._tls`. */
  readonly tlsRpt?: string;
}

/** The domains of the app, and sentences about content that could not be read. */
interface AppDomains {
  readonly domains: readonly AppDomain[];
  readonly notes: readonly string[];
}

/**
 * Reads a cloud assembly.
 *
 * @param app - the folder that `cdk synth` wrote
 * @returns the domains in the order of the assembly, or a problem that the user can fix
 */
export function readAppDomains(app: string): AppDomains | { readonly problem: string } {
  try {
    const assembly = readAssembly(app);
    const domains = uniquePublications(assembly.publications).map((publication) => readAppDomain(publication, assembly));
    if (domains.length === 0) throw new PreviewError(`${safeText(app)} publishes no policy, so there are no records to create`);
    return { domains, notes: assembly.notes.all };
  } catch (error) {
    if (error instanceof PreviewError) return { problem: error.message };
    throw error;
  }
}

/** Merges a domain that two stacks publish with the same policy. */
function uniquePublications(publications: readonly Publication[]): readonly Publication[] {
  const byDomain = new Map<string, Publication>();
  for (const publication of publications) {
    const before = byDomain.get(publication.domain);
    if (before !== undefined && before.policyText !== publication.policyText) {
      throw new PreviewError(`the app publishes two policies for ${publication.domain}, ${safeText(before.path, 200)} and ${safeText(publication.path, 200)}; `
        + 'only one can be live, so synthesize the stack that you mean alone');
    }
    byDomain.set(publication.domain, before ?? publication);
  }
  return [...byDomain.values()];
}

function readAppDomain({ domain, policyText, path, refused }: Publication, { distributions, recordSets }: Assembly): AppDomain {
  if (refused !== undefined) throw new PreviewError(`the deployment refuses ${safeText(path, 200)}: ${refused}; run \`npx cdk synth\` again`);
  const distribution = distributions.find(({ aliases }) => aliases.includes(policyHostName(domain)))?.path;
  const reporting = recordSets.find(({ name, type }) => name === reportingName(domain) && type === 'TXT')?.values[0];
  const data = reporting === undefined ? undefined : readValue('TXT', reporting);
  const tlsRpt = typeof data === 'object' && data.type === 'TXT' ? data.data.join('') : undefined;
  return { domain, policy: Buffer.from(policyText, 'utf8'), distribution, tlsRpt };
}
