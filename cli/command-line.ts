// The command line that help texts and messages tell people to type.

/**
 * Names the package, not the short name of the command. Where the package is not installed, npx would fetch a package with the short
 * name, and anybody can publish one.
 */
export const COMMAND_LINE = 'npx cdk-mta-sts';
