// Every code that the failure of a deployment can begin with. `mta-sts explain` and the page of deployment failures have them all.

/** The custom resource that fails with a code. */
export type DeploymentStep = 'Preflight' | 'Publication' | 'Verification';

/** The subject of a code. `deployment` is the work itself: events, AWS calls and time limits. */
export type DeploymentArea = 'zone' | 'record' | 'policy-host' | 'policy-file' | 'mx' | 'deployment';

/** Whatever is true of a code in every deployment. */
export interface DeploymentFailureKind {
  readonly area: DeploymentArea;
  /** The steps that raise it, in the order of a deployment. */
  readonly steps: readonly DeploymentStep[];
  /** The problem: one or two sentences. */
  readonly meaning: string;
  /** The consequence: one or two sentences. */
  readonly impact: string;
  /** The fix: a phrase without a full stop. */
  readonly fix: string;
  /** The section of an RFC, or the name of the AWS documentation in `url`. */
  readonly reference: string;
  /** The address of a reference that is not an RFC. */
  readonly url?: string;
  /** The page that has the steps of the fix, below `docs/`. */
  readonly page?: string;
}

const ALL_STEPS = ['Preflight', 'Publication', 'Verification'] as const;

const DEPLOY_AGAIN = 'troubleshooting/after-a-failure.md#deploy-again';

/**
 * The catalogue, in the order of a deployment.
 *
 * A code that is also the code of a finding states the same fact: `mx-not-covered` and `dns-failure`.
 */
export const DEPLOYMENT_FAILURES = {
  'zone-not-found': {
    area: 'zone',
    steps: ['Preflight', 'Publication'],
    meaning: 'The account has no hosted zone with this id.',
    impact: 'No record of the domain can be created.',
    fix: 'pass the hosted zone that holds the records of the domain, and deploy with the account that owns it',
    reference: 'Route 53 API, GetHostedZone',
    url: 'https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html',
  },
  'zone-private': {
    area: 'zone',
    steps: ['Preflight', 'Publication'],
    meaning: 'The hosted zone is private.',
    impact: 'Senders on the internet cannot see its records.',
    fix: 'pass the public hosted zone of the domain',
    reference: 'Route 53 Developer Guide, private hosted zones',
    url: 'https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zones-private.html',
  },
  'zone-unreadable': {
    area: 'zone',
    steps: ['Preflight', 'Publication'],
    meaning: 'Route 53 returned a hosted zone without a name or without name servers.',
    impact: 'The deployment cannot find out which servers have the records.',
    fix: 'check the hosted zone in the Route 53 console, and deploy again',
    reference: 'Route 53 API, GetHostedZone',
    url: 'https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html',
  },
  'zone-wrong-domain': {
    area: 'zone',
    steps: ['Preflight'],
    meaning: 'The domain is not in the hosted zone.',
    impact: 'The hosted zone cannot hold records of the domain.',
    fix: 'pass the hosted zone of the domain or of a parent domain',
    reference: 'RFC 1034 §4.2',
  },
  'zone-not-delegated': {
    area: 'zone',
    steps: ['Preflight'],
    meaning: 'Public DNS uses other name servers than this hosted zone, or none. Often two zones have the same name.',
    impact: 'Senders would see no record, and the stack would wait for the certificate for hours.',
    fix: 'enter the name servers of this zone at the registrar, or as NS record in the parent zone; or pass the zone that is in use; deploy a zone '
      + 'that is created by the same app first, alone, and then delegate it',
    reference: 'RFC 1034 §4.2.1',
  },
  'name-delegated-away': {
    area: 'zone',
    steps: ['Preflight'],
    meaning: 'An NS record in the hosted zone delegates the name of a record to other name servers.',
    impact: 'Senders would not see a record that is created in this zone.',
    fix: 'pass the hosted zone that the name is delegated to, or delete the NS record',
    reference: 'RFC 1034 §4.2.1',
  },
  'caa-forbids-amazon': {
    area: 'policy-host',
    steps: ['Preflight'],
    meaning: 'A CAA record does not allow Amazon to issue the certificate of the policy host.',
    impact: 'Without this check, the stack would wait for the certificate for hours.',
    fix: 'add `0 issue "amazon.com"` beside the other CAA records',
    reference: 'RFC 8659 §4.2',
  },
  'caa-critical-property': {
    area: 'policy-host',
    steps: ['Preflight'],
    meaning: 'A CAA record has a critical property that Amazon may not understand.',
    impact: 'An authority must not issue a certificate then, so the stack would wait for hours.',
    fix: 'remove that CAA record or its critical flag',
    reference: 'RFC 8659 §4.5',
  },
  'record-exists': {
    area: 'record',
    steps: ['Preflight'],
    meaning: 'A record that this stack did not create has the name of a record that the stack needs.',
    impact: 'CloudFormation cannot import record sets, and it never overwrites one.',
    fix: 'delete it; to keep a `_smtp._tls` record, leave out `tlsReporting`, or set `tlsReporting` to what the record says and delete the record just '
      + 'before the deployment, which creates it again; give a renamed construct its old id back',
    reference: 'CloudFormation roadmap, issue 560',
    url: 'https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/560',
  },
  'domain-changed': {
    area: 'record',
    steps: ['Preflight'],
    meaning: 'A construct has another domain than before.',
    impact: 'The record of the old domain would outlive its policy file.',
    fix: 'give the construct of the new domain an id of its own, and remove the old one later',
    reference: 'RFC 8461 §8.3',
    page: 'guide/withdraw.md',
  },
  'publisher-changed': {
    area: 'policy-file',
    steps: ['Preflight'],
    meaning: 'Another construct than before publishes the policy of the domain, on the same `PolicyHost`.',
    impact: 'CloudFormation deletes the policy file together with the old construct, and the new one needs it.',
    fix: 'give a renamed construct its old id back; otherwise remove the domain in one deployment, and add it in the next',
    reference: 'RFC 8461 §8.3',
    page: 'guide/many-domains.md',
  },
  'mx-not-covered': {
    area: 'mx',
    steps: ['Preflight'],
    meaning: 'The policy does not name an MX host of the domain.',
    impact: 'In `enforce`, senders would refuse mail to this host.',
    fix: 'add a pattern for the host, or remove its MX record',
    reference: 'RFC 8461 §4.1',
    page: 'guide/mx-hosts.md',
  },
  'mx-zone-appended': {
    area: 'mx',
    steps: ['Preflight'],
    meaning: 'The policy and an MX record name a host that does not exist: the name of the zone is appended twice.',
    impact: 'Once the MX record is corrected, senders with this policy would refuse mail to the right host.',
    fix: 'correct the name in the MX record and in the policy; in a zone file, end the name with a dot',
    reference: 'RFC 1035 §5.1, RFC 5321 §5.1',
  },
  'dns-failure': {
    area: 'deployment',
    steps: ['Preflight'],
    meaning: 'DNS gave no answer to a question of a check, for half a minute.',
    impact: 'The check could not be made. Nothing that senders see has changed.',
    fix: 'check the name servers of the domain and its DNSSEC, and deploy again',
    reference: 'RFC 8461 §3.1 and §5.1',
  },
  'policy-not-live': {
    area: 'policy-file',
    steps: ['Publication'],
    meaning: 'An address of the policy host did not serve the new policy file in time.',
    impact: 'The `_mta-sts` record did not change. Senders that held no policy fetched the new file under the old id.',
    fix: 'fix the reason that the failure names for each address, and deploy again, also with the same policy',
    reference: 'RFC 8461 §3.3 and §8.1',
    page: DEPLOY_AGAIN,
  },
  'verification-failed': {
    area: 'deployment',
    steps: ['Verification'],
    meaning: 'Senders would see an error. The failure names the code of each finding.',
    impact: 'CloudFormation rolls back. For up to six minutes, senders saw the new id with the old file.',
    fix: 'fix each finding, and deploy again, also with the same policy',
    reference: 'RFC 8461 §8.1',
    page: DEPLOY_AGAIN,
  },
  'event-not-current': {
    area: 'deployment',
    steps: ['Publication'],
    meaning: 'CloudFormation no longer waits for the event: it came late, or twice.',
    impact: 'Nothing was changed.',
    fix: 'deploy again if a deployment failed for this reason',
    reference: 'CloudFormation User Guide, custom resource requests',
    url: 'https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes.html',
  },
  'timed-out': {
    area: 'deployment',
    steps: ALL_STEPS,
    meaning: 'The function had no time left. The failure names the pending operation and the last observation.',
    impact: 'The step did not end, so CloudFormation rolls back.',
    fix: 'fix the reason of the last observation, and deploy again',
    reference: 'Lambda Developer Guide, function timeout',
    url: 'https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html',
    page: DEPLOY_AGAIN,
  },
  'aws-access-denied': {
    area: 'deployment',
    steps: ALL_STEPS,
    meaning: 'AWS refused a call of the function.',
    impact: 'The step could not be made, so CloudFormation rolls back.',
    fix: 'allow the call for the role of the function, and remove what denies it: a permissions boundary, an SCP or a bucket policy',
    reference: 'IAM User Guide, access denied errors',
    url: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html',
    page: 'reference/security.md',
  },
  'aws-call-failed': {
    area: 'deployment',
    steps: ALL_STEPS,
    meaning: 'A call of the function to AWS failed several times. The failure has the words of AWS.',
    impact: 'The step could not be made, so CloudFormation rolls back.',
    fix: 'fix the reason that AWS gives, and deploy again',
    reference: 'AWS General Reference, API retries',
    url: 'https://docs.aws.amazon.com/general/latest/gr/api-retries.html',
  },
  'properties-invalid': {
    area: 'deployment',
    steps: ALL_STEPS,
    meaning: 'A property of the custom resource is not readable. An override or another tool has changed the template.',
    impact: 'The step did not start.',
    fix: 'deploy the template as the app synthesizes it',
    reference: 'RFC 8461 §3.2',
  },
  'unexpected-error': {
    area: 'deployment',
    steps: ALL_STEPS,
    meaning: 'The function met an error that it does not know.',
    impact: 'The step did not end, so CloudFormation rolls back.',
    fix: 'read the log group that the failure names, deploy again, and report the error',
    reference: 'Lambda Developer Guide, function logs',
    url: 'https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html',
  },
} as const satisfies Readonly<Record<string, DeploymentFailureKind>>;

/** The stable first word of a failure. */
export type DeploymentFailureCode = keyof typeof DEPLOYMENT_FAILURES;
