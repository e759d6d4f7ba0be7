// The CNAME that validates the certificate of a host whose DNS is elsewhere: it must stay there, since each renewal looks for it.
import { DescribeCertificateCommand } from '@aws-sdk/client-acm';
import { awsCall } from '../context/aws-call';
import { plainName } from '../dns-names';
import { errorFields } from '../context/log';
import { attribute } from '../../functions/deployment/failure-message';
import type { OperationContext } from '../context/operation-context';
import type { Attributes } from '../../functions/deployment/custom-resource';

const UNKNOWN = 'not known: look at the certificate in AWS Certificate Manager';

/**
 * Reads it from AWS Certificate Manager. It never fails: the certificate is issued already, and all that is lost is a line of advice.
 *
 * @returns the attributes `ValidationName` and `ValidationValue`, names without a dot at the end
 */
export async function validationRecord(context: OperationContext, certificateArn: string, policyHost: string): Promise<Attributes> {
  try {
    const { Certificate: certificate } = await awsCall(context, 'acm:DescribeCertificate', async (options) => {
      return context.services.acm.send(new DescribeCertificateCommand({ CertificateArn: certificateArn }), options);
    });
    const own = certificate?.DomainValidationOptions?.find(({ DomainName: name }) => plainName(name ?? '') === policyHost)?.ResourceRecord;
    if (own?.Name !== undefined && own.Value !== undefined) {
      return { ValidationName: attribute(plainName(own.Name)), ValidationValue: attribute(plainName(own.Value)) };
    }
    context.log.warn('the certificate names no validation record for the policy host', { certificateArn, policyHost });
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn('could not read the validation record of the certificate', { certificateArn, ...errorFields(error) });
  }
  return NO_RECORD;
}

/** What the attributes say where it is not known. */
export const NO_RECORD: Attributes = { ValidationName: UNKNOWN, ValidationValue: UNKNOWN };
