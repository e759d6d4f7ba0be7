// How people call the command, wherever a text tells them to.

/**
 * By the name of the package. By the command's short name npx would fetch a package of that name where this one is not installed, and
 * anybody can publish that.
 */
export const COMMAND_LINE = 'npx cdk-mta-sts';
