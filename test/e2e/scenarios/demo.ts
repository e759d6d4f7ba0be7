// `npm run demo -- --real`: the life of a domain's policy, told to somebody who sees it for the first time.
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
  'deliver-verified': 'a sender delivers, over TLS that it has verified',
  'deliver-unverified': 'a sender delivers, whatever the certificate is',
  'refuse': 'a sender keeps the message and tries again later',
};

/**
 * @returns 0
 * @throws Error where something is not as told
 */
export async function demoScenario(environment: TestEnvironment): Promise<number> {
  tell('\nAn emulator of AWS, DNS, edges that serve, mail hosts, and two mail servers: in a private network on this machine.');
  tell('Neither the Internet nor any AWS account takes part. The commands are those that you would type.');
  await makeReady(environment);
  await fail(environment);
  await deploy(environment);
  await mail(environment);
  await destroy(environment);
  heading('What next');
  tell('put it live, testing first   npx cdk deploy -c domain=example.com -c mx=google-workspace -c mode=testing');
  tell('check any domain             node bin/mta-sts.js verify example.com');
  tell('all that is proven here      npm run e2e');
  tell('use the construct            see README.md');
  return 0;
}

async function makeReady({ cli, emulator }: TestEnvironment): Promise<void> {
  heading('1. An AWS account is made ready for the CDK, once');
  command('npx', ['cdk', 'bootstrap']);
  const ended = await cli.cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`, '--app', '');
  expectEnd(ended, 0, 'cdk bootstrap');
  tell(`done in ${ended.seconds.toFixed(0)} s: ${(await stackResources(emulator.cloudformation, 'CDKToolkit')).length} resources`);
}

async function fail(environment: TestEnvironment): Promise<void> {
  heading('2. A deliberate failure: the domain has a mail host that the policy does not cover');
  tell('its MX is mail.other.test, the policy names mx1.example.test; in enforce mode senders would refuse to deliver:');
  await serveMail(environment, UNCOVERED_HOST);
  deployCommand(environment);
  const ended = await environment.deploy(ENFORCE);
  expectEnd(ended, 1, 'cdk deploy');
  const reason = /\(MtaSts\w*Preflight\w*\) Error: (.*)/.exec(ended.output)?.[1];
  if (reason?.includes('mail.other.test') !== true) throw new Error(`cdk deploy gave no reason:\n${ended.output}`);
  tell(reason);
  tell(`\nexit status 1 after ${ended.seconds.toFixed(0)} s: found before anything was made, not by the people who write to you`);
}

async function deploy(environment: TestEnvironment): Promise<void> {
  const { cli, emulator } = environment;
  heading('3. The MX is mended, and the policy goes live');
  await serveMail(environment, GOOD_HOST);
  deployCommand(environment);
  const ended = await environment.deploy(ENFORCE);
  expectEnd(ended, 0, 'cdk deploy');
  tell(`done in ${ended.seconds.toFixed(0)} s: ${(await stackResources(emulator.cloudformation, STACK)).length} resources. In this order, by the events of the stack:`);
  tell(await order(environment, STACK, 'CREATE_COMPLETE', [
    ['Custom::MtaStsPreflight', 'the checks beforehand'],
    ['AWS::CloudFront::Distribution', 'the policy host'],
    ['Custom::MtaStsPublication', 'the policy file, seen live on all addresses of the host'],
    ['AWS::Route53::RecordSet', 'the TXT record that announces it'],
    ['Custom::MtaStsVerification', 'the whole, seen as a sender sees it'],
  ]));
  tell('');
  command('node', ['bin/mta-sts.js', 'verify', 'example.test', '--smtp']);
  const verified = await cli.mtaSts('verify', 'example.test', '--smtp');
  expectEnd(verified, 0, 'mta-sts verify');
  tell(verified.output.trimEnd());
}

async function mail(environment: TestEnvironment): Promise<void> {
  heading('4. Mail by Postfix (with postfix-mta-sts-resolver) and by chasquid');
  tell('`mta-sts verify --smtp` foretells what a sender does; then both do it, and this is their own log:');
  const senders = await Senders.start(environment);
  for (const served of [GOOD_HOST, UNTRUSTED_HOST, UNCOVERED_HOST]) {
    await serveMail(environment, served);
    const predicted = await Prediction.now(environment);
    tell(`\n${served.what}: foretold ${predicted.delivery}, ${OUTCOMES[predicted.delivery] ?? 'which has no name'}`);
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
  heading('5. And the way back');
  tell('for a real domain publish mode=none first, and wait until senders have dropped the policy, see README.md; here nobody is left to mind:');
  command('npx', ['cdk', 'destroy', ...context(environment)]);
  const stack = await findStack(emulator.cloudformation, STACK);
  const ended = await environment.destroy();
  expectEnd(ended, 0, 'cdk destroy');
  tell(`done in ${ended.seconds.toFixed(0)} s. The announcement went before what it announces:`);
  tell(await order(environment, stack?.id ?? STACK, 'DELETE_COMPLETE', [
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

/** @throws Error where the events came in another order */
async function order({ emulator }: TestEnvironment, stack: string, status: string, steps: readonly (readonly [string, string])[]): Promise<string> {
  const events = await stackEvents(emulator.cloudformation, stack);
  const seen = new EventOrder(events);
  steps.slice(1).forEach(([type], index) => {
    seen.expectBefore([steps[index][0], status], [type, status]);
  });
  return steps.map(([, what], index) => `${index + 1}. ${what}`).join('\n');
}
