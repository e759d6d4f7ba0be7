// Publishes a policy: puts the file, and waits until senders get it, before the `_mta-sts` record changes (RFC 8461 §8.1).
import { s3Url } from '../../contract/object-keys';
import type { S3Location } from '../../contract/object-keys';
import { policyHash } from '../../protocol/policy/id';
import { renderPolicy } from '../../protocol/policy/policy';
import type { Policy } from '../../protocol/policy/policy';
import { policyHostName, policyUrl } from '../../protocol/policy/url';
import type { OperationContext } from '../context/operation-context';
import { MxConflictCheck } from '../history/mx-conflicts';
import { HistoryRecorder } from '../history/recorder';
import type { LastWriter, PlannedPublication, PreviousPublication } from '../history/recorder';
import { proveLive } from './live-check';
import { distributionAddresses, zoneAddresses } from './policy-addresses';
import type { QueryAddresses } from './policy-addresses';
import { deletePolicy, putPolicy } from './policy-object';
import { readPublishedId } from './published-id';
import { readValidationRecord } from './validation-record';
import type { ValidationRecord } from './validation-record';

/** The servers that know the addresses of the policy host: the name servers of a hosted zone, or any resolver for a distribution. */
export type PolicyHostDns = { readonly zoneId: string } | { readonly distribution: string };

/** One publication. */
export interface PublishInput {
  /** The policy domain in lower-case A-labels. */
  readonly domain: string;
  readonly dns: PolicyHostDns;
  /** The location of the policy file. */
  readonly object: S3Location;
  readonly policy: PlannedPublication;
  /** The policy file. */
  readonly bytes: Uint8Array;
  /** The certificate whose validation record the result names. Missing: the result names none. */
  readonly certificateArn?: string;
  /** Identifies the request to publish. The same request may come twice. */
  readonly requestId: string;
  /** Missing for the first publication. */
  readonly previous?: PreviousPublication;
  /** Returns whether the record may keep its previous id because the change is being rolled back. */
  readonly mayBeRollingBack: (context: OperationContext) => Promise<boolean>;
  /** Rejects where the request is outdated. The publication then ends with the same error. */
  readonly requireCurrent: (context: OperationContext) => Promise<void>;
}

/** The facts of a publication, as far as they are known. */
export interface PublishResult {
  readonly policyUrl: string;
  /** The id for the record. Missing before the id is chosen. */
  readonly policyId?: string;
  /** The time after which no sender can hold an enforce or testing policy, in ISO 8601, or the reason why the time is not known. */
  readonly earliestRemoval: string;
  /** Mail that senders may refuse, or a text that begins with `none`. */
  readonly mxConflicts: string;
  /** The CNAME that validates the certificate. */
  readonly validation?: ValidationRecord;
}

/** Publishes a policy. */
export async function publish(context: OperationContext, input: PublishInput): Promise<PublishResult> {
  return new Publication(input).run(context);
}

/** A publication whose state can be read after a failure, and whose file can be taken back. */
export class Publication {
  private readonly recorder: HistoryRecorder;
  private readonly mxConflicts: MxConflictCheck;
  private readonly policyHost: string;
  private validation: ValidationRecord | undefined;
  private started = false;
  private written = false;

  constructor(private readonly input: PublishInput) {
    const { domain, dns, object, policy, requestId, previous, mayBeRollingBack, requireCurrent } = input;
    this.policyHost = policyHostName(domain);
    this.mxConflicts = new MxConflictCheck(domain);
    this.recorder = new HistoryRecorder({
      object, policy, requestId, previous, mayBeRollingBack, requireCurrent,
      readPublishedId: async (context) => readPublishedId(context, domain, 'zoneId' in dns ? dns.zoneId : undefined),
    });
  }

  /** The location of the policy file as `s3://bucket/key`. */
  public get url(): string {
    return s3Url(this.input.object);
  }

  /** Whether the file may have been put. A failed write may have arrived too. */
  public get hasStarted(): boolean {
    return this.started;
  }

  /** Whether the file was put. */
  public get hasWritten(): boolean {
    return this.written;
  }

  /** The facts that are known so far. */
  public get result(): PublishResult {
    return {
      policyUrl: policyUrl(this.policyHost),
      policyId: this.recorder.id,
      earliestRemoval: this.recorder.earliestRemoval,
      mxConflicts: this.mxConflicts.summary,
      validation: this.validation,
    };
  }

  /**
   * Publishes the policy.
   *
   * @throws DeploymentFailure `policy-not-live`, or whatever `requireCurrent` throws
   */
  public async run(context: OperationContext): Promise<PublishResult> {
    const { certificateArn, requireCurrent } = this.input;
    this.started = true;
    await this.chooseId(context);
    await this.putFile(context);
    await this.waitUntilLive(context);
    await this.recorder.confirmLive(context);
    // The caller never deletes a file that is put after its answer.
    await requireCurrent(context);
    this.mxConflicts.warn(context, this.recorder.history);
    if (certificateArn !== undefined) this.validation = await readValidationRecord(context, certificateArn, this.policyHost);
    return this.result;
  }

  /** Records the publication before the file is put: senders may fetch the file at once. */
  private async chooseId(context: OperationContext): Promise<void> {
    await Promise.all([this.recorder.start(context), this.mxConflicts.readMx(context)]);
    this.mxConflicts.warn(context, this.recorder.history);
  }

  private async putFile(context: OperationContext): Promise<void> {
    const { object, bytes } = this.input;
    await putPolicy(context, object, bytes);
    this.written = true;
    context.log.info('wrote the policy file', { ...object, id: this.recorder.id, bytes: bytes.length });
  }

  private async waitUntilLive(context: OperationContext): Promise<void> {
    const expected = { policyHost: this.policyHost, bytes: this.input.bytes };
    await proveLive(context, expected, await this.addresses(context), async () => {
      // An outdated request may have put its own file in between.
      await this.input.requireCurrent(context);
      await this.putFile(context);
    });
  }

  private async addresses(context: OperationContext): Promise<QueryAddresses> {
    const { dns } = this.input;
    return 'zoneId' in dns ? zoneAddresses(context, dns.zoneId, this.policyHost) : distributionAddresses(context, dns.distribution);
  }

  /** Reads who put the file that the history names last. */
  public async lastWriter(context: OperationContext): Promise<LastWriter> {
    return this.recorder.lastWriter(context);
  }

  /** Deletes the file and the history. */
  public async deleteFile(context: OperationContext): Promise<void> {
    await deletePolicy(context, this.input.object);
  }

  /**
   * Puts back the file that another request published, where that request recorded and put its file before this request put its own. The
   * history has the policy, and its rendered bytes must have the recorded hash.
   */
  public async restorePublished(context: OperationContext): Promise<void> {
    const { object, policy: { hash } } = this.input;
    const last = await this.recorder.readLast(context);
    if (last === undefined || last === 'unread' || last.hash === hash) return;
    const bytes = renderedBytes(last);
    if (bytes === undefined || policyHash(bytes) !== last.hash) {
      context.log.error('the policy file may be that of this request, which is outdated. The published file could not be restored. Deploy again', { ...object });
      return;
    }
    await putPolicy(context, object, bytes);
    context.log.warn('put back the policy file that another request published', { ...object, id: last.id });
  }
}

/** Returns the file of a policy; undefined where no release of this package writes such a policy. */
function renderedBytes(policy: Policy): Uint8Array | undefined {
  try {
    return Buffer.from(renderPolicy(policy));
  } catch {
    return undefined;
  }
}
