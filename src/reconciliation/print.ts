// A report for the terminal: the differences in a table, the money of both sides, the verdict.

import type { EventTotals, Finding, Money, Report } from './report.ts';
import { doneOf, kindOf, sideOf, thereOf, whole } from './words.ts';

/** A longer table scrolls the verdict off the screen; `--json` lists more. */
const LISTED_MAX = 100;

export function printed(report: Report): string {
  const { event, from, to, findings, more, dryRun } = report;
  const found = findings.length + more;
  const lines = [
    `${event ?? 'Every event'}, ${timeOf(from)} to ${timeOf(to)}${dryRun ? ' (dry run)' : ''}`,
    `  ${count(report.compared, 'payment')} compared, ${count(found, 'difference')} found`,
  ];
  if (report.foreign > 0) {
    lines.push(`  ${count(report.foreign, 'payment')} at PortOne for no order of ours`);
  }
  if (report.casesClosed > 0) {
    lines.push(`  ${count(report.casesClosed, 'case')} closed: both sides agree again`);
  }
  if (findings.length > 0) lines.push('', ...differences(findings));
  const hidden = found - Math.min(findings.length, LISTED_MAX);
  if (hidden > 0) lines.push(`  and ${whole(hidden)} more`);
  if (report.totals.length > 0) lines.push('', ...money(report.totals));
  return [...lines, '', verdictOn(report)].join('\n');
}

export function verdictOn(report: Report): string {
  const { error, left, notAsked, agree, complete } = report;
  if (!complete) return `Not finished: ${error}`;
  const open = count(left, 'difference');
  if (agree) return 'Both sides agree.';
  if (left > 0 && report.dryRun) return `${open} to be mended; nothing was changed.`;
  if (left > 0) return `${open} left${error === null ? '' : `: ${error}`}.`;
  if (notAsked > 0) {
    return `${count(notAsked, 'payment')} of a PortOne version without credentials: not compared.`;
  }
  return 'The totals differ.';
}

function differences(findings: Finding[]): string[] {
  const rows = findings
    .slice(0, LISTED_MAX)
    .map((finding) => [
      finding.merchantUid,
      finding.paymentId,
      kindOf(finding),
      thereOf(finding),
      `${sideOf(finding.ours)}${finding.hold ? `, seats ${finding.hold}` : ''}`,
      doneOf(finding),
    ]);
  return table([
    ['order', 'payment', 'difference', 'PortOne says', 'here it was', 'what was done'],
    ...rows,
  ]);
}

function money(totals: EventTotals[]): string[] {
  const sums = (of: Money) => [of.paid, of.cancelled, of.kept].map(whole);
  return table([
    ['money', 'side', 'paid', 'cancelled', 'kept', ''],
    ...totals.flatMap(({ event, currency, portone, ours, agree }) => [
      [`${event} (${currency})`, 'PortOne', ...sums(portone), ''],
      ['', 'here', ...sums(ours), agree ? 'agree' : 'DIFFER'],
    ]),
  ]);
}

function table(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

function timeOf(instant: string): string {
  return `${instant.slice(0, 19).replace('T', ' ')} UTC`;
}

function count(n: number, what: string): string {
  return `${whole(n)} ${what}${n === 1 ? '' : 's'}`;
}
