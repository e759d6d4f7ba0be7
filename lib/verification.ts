// The reaction of a deployment to a failed verification.

/** Reaction of the deployment if the verification finds an error. */
export enum Verification {
  /** The deployment fails, and CloudFormation rolls it back. */
  FAIL_DEPLOYMENT = 'fail',
  /** The deployment goes on. The errors are in the log of the function and in the attributes of the resource. */
  REPORT_ONLY = 'report',
}
