// Ends every fault of the test environment.
import type { AwsProxy } from './aws/aws-proxy';
import { setClockSkew } from './aws/clock';
import { setEmulatorFaults } from './aws/emulator';
import type { Dns } from './dns/dns';
import type { Edge } from './edge/edge';

/** The parts of the test environment that can be made to fail. */
export interface Faultable {
  readonly aws: AwsProxy;
  readonly dns: Dns;
  readonly edge: Edge;
  readonly paths: { readonly folder: string };
}

/** Ends every fault, so that all parts work again. */
export function reset({ aws, dns, edge, paths: { folder } }: Faultable): void {
  setClockSkew(folder, 0);
  setEmulatorFaults(folder, {});
  aws.fail(undefined);
  aws.onAnswer(undefined);
  dns.fail(undefined);
  edge.fail(undefined);
  edge.thaw();
  edge.certificates.clear();
}
