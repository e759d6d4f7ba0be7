// `mta-sts preview`: a synthesized app served on loopback, as CloudFront and Route 53 would serve it once deployed.
import type { Command } from 'commander';
import type { Preview, PreviewOptions } from '../../lib/preview';
import { safeText } from '../../lib/util/safe-text';
import { argument, parseAddress, parseMxHost, parsePort, repeated } from '../input/arguments';
import type { Context } from '../context';
import { readInput } from '../input/file';
import { outputOption, resultFormatOption } from '../input/options';
import { printResults } from '../output/print-results';
import type { PrintOptions } from '../output/print-results';
import { OutputError } from '../output/sinks';

interface PreviewFlags extends PrintOptions {
  readonly app: string;
  readonly listen: string;
  readonly httpsPort?: number;
  readonly dnsPort?: number;
  readonly tlsKey?: string;
  readonly tlsCert?: string;
  readonly mx?: PreviewOptions['mx'];
  readonly verify?: true;
}

/** Adds the command to the program. */
export function addPreview(program: Command, context: Context): void {
  program.command('preview')
    .description('serve the policy hosts and DNS records of a synthesized CDK app on this machine, and verify them as a sender does')
    .option('--app <folder>', 'the cloud assembly that `cdk synth` wrote', 'cdk.out')
    .option('--listen <address>', 'IP address to listen on', argument(parseAddress), '127.0.0.1')
    .option('--https-port <port>', 'port of the policy hosts (default: any free one)', argument(parsePort))
    .option('--dns-port <port>', 'port of the DNS server (default: any free one)', argument(parsePort))
    .option('--tls-key <file>', 'private key in PEM (default: made on the fly, as is a certificate of a private CA)')
    .option('--tls-cert <file>', 'certificate in PEM, with those between it and its root')
    .option('--mx <host=address>', 'an MX host of the domains; may be given several times (default: hosts that the policy covers)', repeated(parseMxHost))
    .option('--verify', 'verify the domains and end with the status of that')
    .addOption(resultFormatOption())
    .addOption(outputOption())
    .action(async (flags: PreviewFlags, command: Command) => {
      const tls = await readTls(flags, context, command);
      if (flags.verify !== true) refuseReportOptions(flags, command);
      const preview = await start(flags, tls, context, command);
      try {
        await (flags.verify === true ? verify(preview, flags, context, command) : serve(preview, context));
      } finally {
        await preview.close();
      }
    });
}

function refuseReportOptions({ format, output }: PreviewFlags, command: Command): void {
  if (format !== 'text') command.error(`error: \`--format ${format}\` is for reports; add \`--verify\``);
  if (output !== undefined) command.error('error: `--output` is for reports; add `--verify`');
}

async function verify(preview: Preview, flags: PreviewFlags, { io, end }: Context, command: Command): Promise<void> {
  const { verifyPreview } = await import('../../lib/preview');
  // What is left out must not pass unseen for what is good.
  for (const note of remarks(preview)) io.stderr.write(`mta-sts: ${note}\n`);
  if (preview.domains.length === 0) command.error(`error: ${safeText(preview.app)} publishes no policy, so there is nothing to verify`);
  try {
    end(await printResults(verifyPreview(preview), flags, io));
  } catch (error) {
    if (error instanceof OutputError) command.error(`error: ${error.message}`);
    throw error;
  }
}

function remarks({ notes, mx }: Preview): readonly string[] {
  if (mx.every(({ origin }) => origin !== 'policy')) return notes;
  return [...notes, 'the MX hosts are made from the policy itself; give the real ones with `--mx`, such as `--mx mx1.example.com=127.0.0.1`'];
}

async function serve(preview: Preview, { io }: Context): Promise<void> {
  const { howToQuery } = await import('../../lib/preview');
  // Before the text: who reads it may interrupt at once.
  const interrupted = io.interrupted();
  io.stdout.write(`${howToQuery(preview)}\nCtrl-C ends it.\n`);
  await interrupted;
}

async function start(flags: PreviewFlags, tls: PreviewOptions['tls'], { io }: Context, command: Command): Promise<Preview> {
  const { startPreview, PreviewError } = await import('../../lib/preview');
  const { app, listen, httpsPort, dnsPort, mx, verify: verifies } = flags;
  const log = (line: string): void => {
    // The verifier's own requests are of no interest, only why one of them failed here.
    if (verifies !== true || line.startsWith('the edge function ')) io.stderr.write(`${line}\n`);
  };
  try {
    return await startPreview({ app, listen, httpsPort, dnsPort, mx, tls, log });
  } catch (error) {
    // What a person can mend; all else is a fault of ours.
    if (error instanceof PreviewError) return command.error(`error: ${error.message}`);
    throw error;
  }
}

async function readTls({ tlsKey, tlsCert }: PreviewFlags, { io }: Context, command: Command): Promise<PreviewOptions['tls']> {
  if (tlsKey === undefined && tlsCert === undefined) return undefined;
  if (tlsKey === undefined || tlsCert === undefined) {
    return command.error(`error: \`--tls-key\` and \`--tls-cert\` belong together; \`${tlsKey === undefined ? '--tls-key' : '--tls-cert'}\` is missing`);
  }
  const [key, cert] = [await readInput(tlsKey, io.stdin), await readInput(tlsCert, io.stdin)];
  if ('fault' in key) return command.error(`error: ${key.fault}`);
  if ('fault' in cert) return command.error(`error: ${cert.fault}`);
  return { key: Buffer.from(key.bytes).toString(), cert: Buffer.from(cert.bytes).toString() };
}
