// Since aws-cdk-lib 2.262 the first synthesis of a process starts a validator of 2 to 4 seconds; one suite turns it on again.
process.env.CDK_VALIDATION ??= 'false';
