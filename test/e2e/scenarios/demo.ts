// `npm run demo -- --real`: shows how a policy is published, used and removed, for readers who see it for the first time.
import { command, heading, tell } from '../../../tools/story.mjs';
import { STACK, contextArguments } from '../environment/app/app';
import { expectEnd } from '../environment/app/cdk-cli';
import { ACCOUNT, REGION } from '../environment/aws/emulator';
import { EventOrder, stackEvents, stackResources, findStack } from '../environment/aws/stacks';
import type { TestEnvironment } from '../environment/environment';
import { GOOD_HOST, UNCOVERED_HOST, UNTRUSTED_HOST, serveMail } from '../environment/mail/mail';
import { Prediction, deliver } from '../environment/mail/message';
import { Senders } from '../environment/mail/senders/senders';

const ENFORCE = { mode: 'enforce' } as const;

const OUTCOMES: Readonly<Record<string, string>> = {
  'deliver-verified': 'a sender delivers over verified TLS',
  'deliver-unverified': 'a sender delivers without verifying the certificate',
  'refuse': 'a sender keeps the message and tries again later',
};

/**
 * Runs the demo.
 *
 * @returns the number of failures, always 0
 * @throws Error if a step does not behave as the text says
 */
export async function demoScenario(environment: TestEnvironment): Promise<number> {
  tell('\nThis demo runs an emulator of AWS, DNS servers, edges, mail hosts and two mail servers in a private network on this machine.');
  tell('It uses neither the internet nor an AWS account. The commands are the ones that you would type.');
  await bootstrap(environment);
  await fail(environment);
  await deploy(environment);
  await mail(environment);
  await destroy(environment);
  heading('Next steps');
  tell('publish a policy in testing  npx cdk deploy -c domain=example.com -c mx=google-workspace -c mode=testing');
  tell('check any domain             node bin/mta-sts.js verify example.com');
  tell('run all end-to-end tests     npm run e2e');
  tell('use the construct            see README.md');
  return 0;
}

async function bootstrap({ cli, emulator }: TestEnvironment): Promise<void> {
  heading('1. Prepare an AWS account for the CDK, once');
  command('npx', ['cdk', 'bootstrap']);
  const ended = await cli.cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`, '--app', '');
  expectEnd(ended, 0, 'cdk bootstrap');
  tell(`done in ${ended.seconds.toFixed(0)} s: ${(await stackResources(emulator.cloudformation, 'CDKToolkit')).length} resources`);
}

async function fail(environment: TestEnvironment): Promise<void> {
  heading('2. Fail on purpose: the domain has an MX host that the policy does not cover');
  tell('The MX host is mail.other.test, the policy names mx1.example.test. In enforce mode, senders would refuse to deliver:');
  await serveMail(environment, UNCOVERED_HOST);
  deployCommand(environment);
  const ended = await environment.deploy(ENFORCE);
  expectEnd(ended, 1, 'cdk deploy');
  const reason = /\(MtaSts\w*Preflight\w*\) Error: (.*)/.exec(ended.output)?.[1];
  if (reason?.includes('mail.other.test') !== true) throw new Error(`cdk deploy printed no reason:\n${ended.output}`);
  tell(reason);
  tell(`\nexit status 1 after ${ended.seconds.toFixed(0)} s: the problem was found before the deployment created the policy host, and before any mail was lost`);
}

async function deploy(environment: TestEnvironment): Promise<void> {
  const { cli, emulator } = environment;
  heading('3. Fix the MX record, and publish the policy');
  await serveMail(environment, GOOD_HOST);
  deployCommand(environment);
  const ended = await environment.deploy(ENFORCE);
  expectEnd(ended, 0, 'cdk deploy');
  tell(`done in ${ended.seconds.toFixed(0)} s: ${(await stackResources(emulator.cloudformation, STACK)).length} resources. The events of the stack show this order:`);
  tell(await describeOrder(environment, STACK, 'CREATE_COMPLETE', [
    ['Custom::MtaStsPreflight', 'the checks before the deployment'],
    ['AWS::CloudFront::Distribution', 'the policy host'],
    ['Custom::MtaStsPublication', 'the policy file, verified on all addresses of the host'],
    ['AWS::Route53::RecordSet', 'the TXT record with the id of the policy'],
    ['Custom::MtaStsVerification', 'the final check, from the view of a sender'],
  ]));
  tell('');
  command('node', ['bin/mta-sts.js', 'verify', 'example.test', '--smtp']);
  const verified = await cli.mtaSts('verify', 'example.test', '--smtp');
  expectEnd(verified, 0, 'mta-sts verify');
  tell(verified.output.trimEnd());
}

async function mail(environment: TestEnvironment): Promise<void> {
  heading('4. Send mail with Postfix (and postfix-mta-sts-resolver) and with chasquid');
  tell('`mta-sts verify --smtp` predicts what a sender does. Then both senders do it, as their own logs show:');
  const senders = await Senders.start(environment);
  for (const served of [GOOD_HOST, UNTRUSTED_HOST, UNCOVERED_HOST]) {
    await serveMail(environment, served);
    const predicted = await Prediction.now(environment);
    tell(`\n${served.what}: predicted ${predicted.delivery}, ${OUTCOMES[predicted.delivery] ?? 'an unknown outcome'}`);
    for (const sender of senders.all) {
      await sender.forget();
      await deliver(environment, senders, sender, { what: served.what, mail: served, predicted });
      const { did, log } = environment.table.cases.at(-1) ?? { did: 'nothing', log: '' };
      tell(`  ${sender.name}: ${did}\n    ${log}`);
    }
  }
  await serveMail(environment, GOOD_HOST);
}

async function destroy(environment: TestEnvironment): Promise<void> {
  const { emulator } = environment;
  heading('5. Remove the policy');
  tell('For a real domain, publish mode=none first, and wait until senders have dropped the policy (see README.md). This demo has no other senders:');
  command('npx', ['cdk', 'destroy', ...context(environment)]);
  const stack = await findStack(emulator.cloudformation, STACK);
  const ended = await environment.destroy();
  expectEnd(ended, 0, 'cdk destroy');
  tell(`done in ${ended.seconds.toFixed(0)} s. The TXT record was deleted before the policy file:`);
  tell(await describeOrder(environment, stack?.id ?? STACK, 'DELETE_COMPLETE', [
    ['AWS::Route53::RecordSet', 'the TXT record'],
    ['Custom::MtaStsPublication', 'the policy file'],
    ['AWS::CloudFront::Distribution', 'the policy host'],
  ]));
}

function deployCommand(environment: TestEnvironment): void {
  command('npx', ['cdk', 'deploy', ...context(environment)]);
}

function context({ zoneId }: TestEnvironment): readonly string[] {
  return contextArguments(zoneId, ENFORCE);
}

/** @throws Error if the events have another order */
async function describeOrder(
  { emulator }: TestEnvironment, stack: string, status: string, steps: readonly (readonly [type: string, description: string])[],
): Promise<string> {
  const events = new EventOrder(await stackEvents(emulator.cloudformation, stack));
  let previous: string | undefined;
  for (const [type] of steps) {
    if (previous !== undefined) events.expectBefore([previous, status], [type, status]);
    previous = type;
  }
  return steps.map(([, description], index) => `${index + 1}. ${description}`).join('\n');
}
