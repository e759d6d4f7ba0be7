// Reads the CNAME that validates the certificate of a host with external DNS. The CNAME must stay, because each renewal needs it.
import { DescribeCertificateCommand } from '@aws-sdk/client-acm';
import { awsCall } from '../context/aws-call';
import { errorFields } from '../context/log';
import type { OperationContext } from '../context/operation-context';
import { plainName } from '../dns-names';

/** A CNAME. Both names have no dot at the end. */
export interface ValidationRecord {
  readonly name: string;
  readonly value: string;
}

/**
 * Reads the record from AWS Certificate Manager. Rejects only at the end of the operation: the certificate is issued already, so only
 * advice for the user is lost.
 *
 * @returns undefined where the record is not known
 */
export async function readValidationRecord(
  context: OperationContext, certificateArn: string, policyHost: string,
): Promise<ValidationRecord | undefined> {
  try {
    const { Certificate: certificate } = await awsCall(context, 'acm:DescribeCertificate', async (options) => {
      return context.services.acm.send(new DescribeCertificateCommand({ CertificateArn: certificateArn }), options);
    });
    const own = certificate?.DomainValidationOptions?.find(({ DomainName: name }) => plainName(name ?? '') === policyHost)?.ResourceRecord;
    if (own?.Name !== undefined && own.Value !== undefined) return { name: plainName(own.Name), value: plainName(own.Value) };
    context.log.warn('the certificate names no validation record for the policy host', { certificateArn, policyHost });
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn('could not read the validation record of the certificate', { certificateArn, ...errorFields(error) });
  }
  return undefined;
}
