// The codes that failures of a deployment begin with, as `explain` has them.
import { DEPLOYMENT_FAILURES } from '../../../lib/contract/deployment-failures';
import type { DeploymentFailureKind } from '../../../lib/contract/deployment-failures';
import { CODES } from '../../catalog';

/** One code of the catalogue of deployment failures. */
export interface DeploymentCode extends DeploymentFailureKind {
  readonly code: string;
  readonly kind: 'deployment-failure';
}

const ALL: readonly DeploymentCode[] = Object.entries<DeploymentFailureKind>(DEPLOYMENT_FAILURES)
  .map(([code, kind]) => ({ code, kind: 'deployment-failure', ...kind }));

/** The codes that are not codes of findings, in the order of a deployment. */
export const DEPLOYMENT_CODES: readonly DeploymentCode[] = ALL.filter(({ code }) => !CODES.has(code));

/** How a deployment uses the code of a finding, by code. */
export const IN_DEPLOYMENTS: ReadonlyMap<string, string> = new Map(
  ALL.filter(({ code }) => CODES.has(code)).map(({ code, steps, impact }) => [code, `${steps.join(', ')} fails with it. ${impact}`]),
);
