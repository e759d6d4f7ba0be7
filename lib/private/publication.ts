// The second custom resource: puts the file into the bucket and proves it live at the edge.
import type { CustomResource } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { DeploymentHandler, domainProperties } from './deployment-function';
import type { DomainProps } from './deployment-function';
import type { MtaStsRecord } from './domain-records';
import { policyObjectKey } from './edge-function';
import type { PolicyHost } from '../policy-host';
import { policyHostName } from '../protocol/policy/url';

export interface PublicationProps extends DomainProps {
  readonly policyHost: PolicyHost;
  /** Where DNS is elsewhere: what the user makes there. */
  readonly recordsByHand?: MtaStsRecord[];
}

/** Writes the policy's bytes, then fetches as a sender does until the live bytes are the intended ones. */
export function publication(scope: Construct, id: string, props: PublicationProps): CustomResource {
  const { domainName, hostedZone, policy, policyHost, recordsByHand } = props;
  const resource = DeploymentHandler.of(scope).resource(scope, id, 'Custom::MtaStsPublication', {
    ...domainProperties(props),
    // The function makes the id, and checks by this that the text has arrived unchanged.
    PolicyHash: policy.hash,
    BucketName: policyHost.bucket.bucketName,
    ObjectKey: policyObjectKey(policyHostName(domainName)),
    ...hostedZone === undefined && {
      // By its own name it is reached before anybody has made a record.
      Distribution: policyHost.distribution.distributionDomainName,
      Certificate: policyHost._certificateGiven ? undefined : policyHost.certificate.certificateArn,
      // Not read by the function: `cdk diff` and the preview show what there is to do by hand.
      RecordsByHand: recordsByHand?.map(({ name, type, value }) => ({ Name: name, Type: type, Value: value })),
    },
    // Not read by the function: what was deployed before there was a ledger is published anew, and has its attributes then.
    Ledger: '1',
    // Not read by the function: a host that has changed must be proved anew.
    PolicyHost: policyHost._fingerprint,
  });
  // The distribution, the domain's records, and the bucket's policy that lets the function write.
  resource.node.addDependency(...policyHost._servedBy(domainName));
  return resource;
}

/** What the function tells of a publication: tokens. */
export interface PublicationAttributes {
  /** The id that the `_mta-sts` record announces. */
  readonly policyId: string;
  /** In words or as a moment in ISO 8601: from when on no sender can hold an enforce or testing policy any more. */
  readonly earliestRemoval: string;
  /** Mail that senders may refuse, or `none`. */
  readonly warnings: string;
  /** The CNAME that validates the certificate, where that is made by hand. */
  readonly validation: { readonly name: string; readonly value: string };
}

export function publicationAttributes(published: CustomResource): PublicationAttributes {
  return {
    policyId: published.getAttString('PolicyId'),
    earliestRemoval: published.getAttString('EarliestRemoval'),
    warnings: published.getAttString('Warnings'),
    validation: { name: published.getAttString('ValidationName'), value: published.getAttString('ValidationValue') },
  };
}
