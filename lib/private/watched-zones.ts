// Zones of a construct until synthesis: what makes one private that was public, and one that is hardly meant.
import type { aws_route53 as route53 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { warn } from './warnings';
import { isPrivate, privateZoneFault, zoneNameOf } from './zone';

/** @param construct - one of ours */
export function watchZones(construct: Construct, zones: readonly (route53.IHostedZone | undefined)[]): void {
  const distinct = [...new Set(zones)].filter((zone) => zone !== undefined);
  construct.node.addValidation({
    // `addVpc()` makes a zone private that was public.
    validate: () => distinct.filter(isPrivate).map(privateZoneFault),
  });
  for (const zone of distinct) {
    const name = zoneNameOf(zone);
    if (name === undefined || name.includes('.')) continue;
    warn(construct, {
      id: 'cdk-mta-sts:topLevelZone',
      names: [zone.node.path],
      noun: 'zones',
      message: (subject, isMany) => `${isMany ? '' : 'the hosted zone '}${subject} ${isMany ? 'are' : 'is'} named by a single label: hardly anybody holds a `
        + 'top-level domain; pass the zone of the mail domain',
    });
  }
}
