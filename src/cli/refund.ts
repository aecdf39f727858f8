/** The organizer's refund script: shows what would go back, asks, records it, and carries it out. */

import { Command } from 'commander';
import type { Amended } from '../refunds/amend-refund.ts';
import { giveAccount, retryRefund, withdrawRefund } from '../refunds/amend-refund.ts';
import { payByHand } from '../refunds/by-hand.ts';
import { type RefundRefusal, wordsOf } from '../refunds/problems.ts';
import { byHandNote, newRefund, refundAccount, refundId } from '../refunds/schema.ts';
import type { RefundOptions } from '../refunds/try-refund.ts';
import { listRefunds, type RefundView, viewRefund } from '../refunds/view-refund.ts';
import { wishRefund } from '../refunds/wish-refund.ts';
import {
  agreed,
  answer,
  collect,
  commandActor,
  EXIT,
  Failure,
  needSomebodyToAsk,
  runCommand,
  say,
} from './command.ts';
import { followRefund } from './follow-refund.ts';
import { showOpen, showOutcome, showPlan, won } from './refund-words.ts';
import { withDatabase } from './with-database.ts';

interface Options {
  order?: string;
  amount?: number;
  seat: string[];
  payment?: string;
  reason?: string;
  bank?: string;
  account?: string;
  holder?: string;
  phone?: string;
  list?: true;
  event?: string;
  id?: number;
  retry?: true;
  withdraw?: true;
  byHand?: true;
  note?: string;
  dryRun?: true;
  yes?: true;
  json?: true;
}

const command = new Command('refund')
  .usage('--order ID [--amount N] [--seat LABEL...] --reason TEXT | --list | --id N ...')
  .description(
    'Gives money back: all of an order, or a part, with or without seats. Seats come back to the\n' +
      'sale once their money is back.',
  )
  .option('--order <id>', 'the order')
  .option(
    '--amount <won>',
    'how much; otherwise the price of the seats, or all that is left',
    whole,
  )
  .option('--seat <label>', 'a seat that goes back with it (repeatable)', collect, [])
  .option('--payment <id>', 'which payment, where several of the order were paid')
  .option('--reason <text>', 'why; PortOne and the bank are told (needless with --dry-run)')
  .option('--bank <bank>', 'of a virtual account: the bank, as PortOne names it')
  .option('--account <number>', '... the number of the account the money goes to')
  .option('--holder <name>', '... whose it is')
  .option('--phone <number>', '... their number, where the bank wants it')
  .option('--list', 'the refunds that are open, and those that need a person')
  .option('--event <slug>', 'with --list: of this event only')
  .option('--id <number>', 'a refund on record: add one of the next, or an account', whole)
  .option('--retry', '... try it again now')
  .option('--withdraw', '... drop it, as long as PortOne was not asked')
  .option('--by-hand', '... it was paid back outside PortOne; needs a --note')
  .option('--note <text>', '... how it was paid back')
  .option('--dry-run', 'show what would go back, and change nothing')
  .option('--yes', 'do not ask')
  .option('--json', 'one JSON object on stdout, and nothing else there')
  .addHelpText(
    'after',
    '\nExit codes: 0 done, or on its way and carried on by the service; 1 failed, refused, or a\n' +
      'person is needed; 2 wrong usage or configuration.',
  )
  .allowExcessArguments(false)
  .exitOverride();

function whole(text: string): number {
  const parsed = refundId.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new Failure(`${text} is not a whole number above 0.`, EXIT.usage);
}

async function main(options: Options): Promise<number> {
  const { order, list, id } = options;
  if ([order, list, id].filter((way) => way !== undefined).length !== 1) {
    throw new Failure('Give one of --order, --list and --id.', EXIT.usage);
  }
  if (list) return withTools((tools) => listOpen(tools, options));
  if (order !== undefined) return refundOrder(order, options);
  return amend(id ?? 0, options);
}

function withTools(work: (tools: RefundOptions) => Promise<number>): Promise<number> {
  return withDatabase(work, say);
}

// --- a new refund ---------------------------------------------------------------------------

async function refundOrder(merchantUid: string, options: Options): Promise<number> {
  const wish = { ...wishFrom(options), merchantUid };
  needSomebodyToAsk(options);
  return withTools(async (tools) => {
    const plan = await wishRefund(tools, { ...wish, dryRun: true }, commandActor());
    if (!plan.ok) throw refused(plan);
    if (!options.json) showPlan(merchantUid, plan);
    if (options.dryRun) {
      const { ok, paymentId, amount, whole, seats } = plan;
      const told = { ok, dryRun: true, order: merchantUid, paymentId, amount, whole, seats };
      if (options.json) answer(told);
      return EXIT.ok;
    }
    if (!plan.repeat && !options.yes && !(await agreed(`Refund ${won(plan.amount)}?`))) {
      throw new Failure('Nothing was refunded.');
    }
    // What was shown is what is asked for: the payment and the amount are named now.
    const exact = plan.whole || plan.repeat ? wish : { ...wish, amount: plan.amount };
    const { paymentId } = plan;
    const wished = await wishRefund(tools, { ...exact, paymentId }, commandActor());
    if (!wished.ok) throw refused(wished);
    return follow(tools, wished.id ?? 0, options);
  });
}

function wishFrom(options: Options) {
  const { amount, seat, payment, dryRun } = options;
  const reason = options.reason?.trim() ?? '';
  if (!dryRun && reason === '') {
    throw new Failure('Give a --reason: it is kept, and PortOne is told.', EXIT.usage);
  }
  return checked(newRefund, {
    reason: reason || 'dry run',
    ...(amount === undefined ? {} : { amount }),
    ...(seat.length === 0 ? {} : { seats: seat }),
    ...(payment === undefined ? {} : { paymentId: payment }),
    ...(accountFrom(options) ?? {}),
  });
}

function accountFrom({ bank, account, holder, phone }: Options) {
  const given = [bank, account, holder].filter((part) => part !== undefined).length;
  if (given === 0 && phone === undefined) return null;
  if (given < 3) throw new Failure('Give --bank, --account and --holder together.', EXIT.usage);
  return { account: { bank, number: account, holder, ...(phone === undefined ? {} : { phone }) } };
}

interface Schema<T> {
  safeParse(
    value: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: { path: PropertyKey[]; message: string }[] } };
}

function checked<T>(schema: Schema<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Failure(`${issue?.path.join('.') ?? ''}: ${issue?.message}`, EXIT.usage);
}

// --- one on record --------------------------------------------------------------------------

async function amend(id: number, options: Options): Promise<number> {
  const { retry, withdraw, byHand } = options;
  const account = accountFrom(options);
  if ([retry, withdraw, byHand, account ?? undefined].filter(Boolean).length !== 1) {
    throw new Failure('Give one of --retry, --withdraw, --by-hand and an account.', EXIT.usage);
  }
  if (byHand) return settleByHand(id, options);
  const actor = commandActor();
  return withTools(async (tools) => {
    const change = (): Promise<Amended> => {
      if (withdraw) return withdrawRefund(tools, id, actor);
      if (retry) return retryRefund(tools, id, actor);
      return giveAccount(tools, id, checked(refundAccount, account?.account), actor);
    };
    const amended = await change();
    if (!amended.ok) throw refused(amended);
    return withdraw ? finish(await seen(tools, id), options, EXIT.ok) : follow(tools, id, options);
  });
}

async function settleByHand(id: number, options: Options): Promise<number> {
  const { note } = checked(byHandNote, { note: options.note ?? '' });
  needSomebodyToAsk(options.yes ? { yes: true } : {});
  return withTools(async (tools) => {
    const { amount, merchantUid } = await seen(tools, id);
    const question = `Were ${won(amount)} of order ${merchantUid} paid back outside PortOne?`;
    if (!options.yes && !(await agreed(question))) throw new Failure('Nothing was changed.');
    const paid = await payByHand(tools, { id, note, actor: commandActor() });
    if (!paid.ok) throw refused(paid);
    return finish(await seen(tools, id), options, EXIT.ok);
  });
}

async function seen(tools: RefundOptions, id: number): Promise<RefundView> {
  const refund = await viewRefund(tools.database, id);
  if (!refund) throw refused({ reason: 'unknown_refund' });
  return refund;
}

async function listOpen(tools: RefundOptions, options: Options): Promise<number> {
  const { event } = options;
  const open = await listRefunds(tools.database, { event, states: ['requested', 'needs_person'] });
  if (!open) throw new Failure(`There is no event ${event}.`);
  if (options.json) answer({ ok: true, refunds: open.refunds, after: open.after });
  else showOpen(open.refunds, open.after !== null);
  return EXIT.ok;
}

// --- what became of it ----------------------------------------------------------------------

async function follow(tools: RefundOptions, id: number, options: Options): Promise<number> {
  const watched = process.stderr.isTTY && !options.json;
  await followRefund(tools, id, watched ? say : () => undefined);
  const refund = await seen(tools, id);
  const well = refund.state === 'done' || refund.state === 'requested';
  return finish(refund, options, well ? EXIT.ok : EXIT.failed);
}

function finish(refund: RefundView, options: Options, code: number): number {
  if (options.json) answer({ ok: code === EXIT.ok, refund });
  else showOutcome(refund);
  return code;
}

function refused(refusal: RefundRefusal): Failure {
  const [, detail] = wordsOf(refusal);
  const sentence = `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`;
  return new Failure(sentence, EXIT.failed, { ...refusal, ok: false });
}

await runCommand(() => main(command.parse().opts<Options>()));
