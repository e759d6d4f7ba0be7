// Where the construct may live: CloudFront takes certificates of us-east-1 only.
import type { IConstruct } from 'constructs';
import { Stack, Token } from 'aws-cdk-lib';

/** The one Region whose certificates CloudFront takes. */
export const CLOUDFRONT_REGION = 'us-east-1';

/**
 * @param scope - a construct of ours
 * @throws where the stack is of another Region, or of one that is known only at deployment
 */
export function requireCloudFrontRegion(scope: IConstruct): void {
  const { region, stackName } = Stack.of(scope);
  if (Token.isUnresolved(region)) {
    throw new Error(`${scope.node.path}: the stack '${stackName}' must name its Region, since CloudFront takes certificates of `
      + `${CLOUDFRONT_REGION} only; give it \`env: { account, region: '${CLOUDFRONT_REGION}' }\``);
  }
  if (region !== CLOUDFRONT_REGION) {
    throw new Error(`${scope.node.path}: the stack '${stackName}' must be in ${CLOUDFRONT_REGION}, got ${region}, since CloudFront takes `
      + `certificates of ${CLOUDFRONT_REGION} only and other Regions are not supported yet; put MtaSts into a stack of its own with `
      + `\`env: { account, region: '${CLOUDFRONT_REGION}' }\` (Route 53 is global: pass a zone of another Region's stack by \`HostedZone.fromHostedZoneAttributes()\`)`);
  }
}
