// Reads the emulator's distributions from its CloudFront API, in the form that the preview's data plane takes.
import type { ACMClient } from '@aws-sdk/client-acm';
import { XMLParser } from 'fast-xml-parser';
import type { Distribution } from '../../../../lib/preview/edge/distribution';
import { MANAGED_POLICIES } from '../../../../lib/preview/edge/response-headers';
import { at, itemsOf, textOf } from '../../../../lib/preview/json';
import { callCloudFront } from '../aws/signed-calls';
import { certificateNames } from './certificate-names';

const PARSER = new XMLParser({ parseTagValue: false, isArray: (name) => ARRAYS.has(name) });
const ARRAYS = new Set(['DistributionSummary', 'CNAME', 'Origin', 'FunctionAssociation', 'Method']);

/** A distribution with the properties that an edge needs besides those of a preview. */
export interface EdgeDistribution extends Distribution {
  /** Cache policy of the default behaviour. */
  readonly cachePolicyId?: string;
  /** ARN in ACM. */
  readonly certificateArn?: string;
  readonly certificateNames: readonly string[];
}

/** Id of the managed cache policy CachingDisabled, the same in every account. */
export const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';

/** Reads all distributions. */
export async function readDistributions(acm: ACMClient): Promise<readonly EdgeDistribution[]> {
  const list = await get('distribution');
  const summaries = itemsOf(at(list, 'DistributionList', 'Items', 'DistributionSummary'));
  return Promise.all(summaries.map(async (summary) => readDistribution(
    acm, textOf(at(summary, 'Id')) ?? '', textOf(at(summary, 'DomainName')) ?? '',
  )));
}

async function readDistribution(acm: ACMClient, id: string, domainName: string): Promise<EdgeDistribution> {
  const config = at(await get(`distribution/${id}/config`), 'DistributionConfig');
  const behaviour = at(config, 'DefaultCacheBehavior');
  const target = textOf(at(behaviour, 'TargetOriginId'));
  const origin = itemsOf(at(config, 'Origins', 'Items', 'Origin')).find((item) => textOf(at(item, 'Id')) === target);
  const association = itemsOf(at(behaviour, 'FunctionAssociations', 'Items', 'FunctionAssociation'))
    .find((item) => textOf(at(item, 'EventType')) === 'viewer-request');
  const policy = textOf(at(behaviour, 'ResponseHeadersPolicyId')) ?? '';
  const certificateArn = textOf(at(config, 'ViewerCertificate', 'ACMCertificateArn'));
  const minimumTls = textOf(at(config, 'ViewerCertificate', 'MinimumProtocolVersion')) ?? '';
  const methods = itemsOf(at(behaviour, 'AllowedMethods', 'Items', 'Method')).map(text);
  return {
    path: `distribution ${id}`,
    id,
    domainName,
    aliases: itemsOf(at(config, 'Aliases', 'Items', 'CNAME')).map(text),
    ipv6: textOf(at(config, 'IsIPV6Enabled') ?? at(config, 'IPV6Enabled')) === 'true',
    minimumTls: minimumTls.startsWith('TLSv1.2') ? 'TLSv1.2' : 'TLSv1',
    viewerProtocol: parseViewerProtocol(textOf(at(behaviour, 'ViewerProtocolPolicy'))),
    allowedMethods: methods.length === 0 ? ['GET', 'HEAD'] : methods,
    functionCode: association === undefined ? undefined : await readFunctionCode(textOf(at(association, 'FunctionARN')) ?? ''),
    responseHeaders: MANAGED_POLICIES.get(policy),
    // `bucket.s3.us-east-1.amazonaws.com`
    bucketName: textOf(at(origin, 'DomainName'))?.split('.s3.').at(0),
    originPath: textOf(at(origin, 'OriginPath')) ?? '',
    cachePolicyId: textOf(at(behaviour, 'CachePolicyId')),
    certificateArn,
    certificateNames: certificateArn === undefined ? [] : await certificateNames(acm, certificateArn),
  };
}

/** Reads the published code of a function. Viewers never meet unpublished code. */
async function readFunctionCode(arn: string): Promise<string> {
  const name = arn.split('/').at(-1) ?? '';
  return callCloudFront(`function/${name}`, { Stage: 'LIVE' });
}

async function get(path: string): Promise<unknown> {
  return PARSER.parse(await callCloudFront(path));
}

function text(value: unknown): string {
  return textOf(value) ?? '';
}

function parseViewerProtocol(policy: string | undefined): Distribution['viewerProtocol'] {
  return policy === 'https-only' || policy === 'redirect-to-https' ? policy : 'allow-all';
}
