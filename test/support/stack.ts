// Stacks for the tests of the constructs.
import { App, Stack, aws_route53 as route53 } from 'aws-cdk-lib';
import type { AppProps } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, TlsReporting } from '../../lib';
import type { MtaStsProps } from '../../lib';

export const ENV = { account: '123456789012', region: 'us-east-1' };

export function testStack(props?: AppProps): Stack {
  return new Stack(new App(props), 'Test', { env: ENV });
}

export function importedZone(stack: Stack, zoneName = 'example.com'): route53.IHostedZone {
  return route53.HostedZone.fromHostedZoneAttributes(stack, `Zone-${zoneName}`, { hostedZoneId: 'Z0123456789ABCDEFGHIJ', zoneName });
}

/** Creates a domain with policy and TLS reporting. The given properties replace the usual ones. */
export function oneDomain(stack: Stack, props: Partial<MtaStsProps> = {}): MtaSts {
  return new MtaSts(stack, 'MtaSts', {
    hostedZone: props.hostedZone ?? importedZone(stack),
    policy: MtaStsPolicy.enforce({ mx: MxHosts.of('mx1.example.com', 'mx2.example.com') }),
    tlsReporting: TlsReporting.to('mailto:tls-reports@example.com'),
    ...props,
  });
}
