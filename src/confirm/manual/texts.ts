// What the buyer reads where PortOne was asked for the charge, and "not charged" may be untrue.

import type { Language } from '../texts.ts';

export type Occasion =
  | 'not_approved'
  | 'charge_unknown'
  | 'charge_unknown_seatless'
  | 'money_back'
  | 'no_accounts';

export const OCCASION_TEXTS: Record<Occasion, Record<Language, string>> = {
  not_approved: {
    ko: '결제가 승인되지 않아 자리가 해제되었습니다. 다시 시도해 주세요.',
    en: 'The payment was not approved, so the seats were released. Please try again.',
  },
  charge_unknown: {
    ko: '결제 결과를 아직 확인하지 못했습니다. 자리는 유지되고 있으니 다시 결제하지 말고 잠시 후 주문을 확인해 주세요.',
    en: 'We do not know yet whether the payment went through. Your seats are kept; please do not pay again, and look at your order in a moment.',
  },
  charge_unknown_seatless: {
    ko: '결제 결과를 아직 확인하지 못했습니다. 다시 결제하지 말고 잠시 후 주문을 확인해 주세요. 결제가 완료되었다면 자리를 드리거나 환불해 드립니다.',
    en: 'We do not know yet whether the payment went through. Please do not pay again, and look at your order in a moment: if it did, you will have seats or your money back.',
  },
  money_back: {
    ko: '결제가 너무 늦게 완료되어 자리를 드릴 수 없습니다. 결제 금액은 환불됩니다.',
    en: 'The payment came too late for the seats. Your money will be returned.',
  },
  no_accounts: {
    ko: '이 행사는 가상계좌로 결제하실 수 없습니다. 다른 결제 수단을 선택해 주세요.',
    en: 'A virtual account cannot be used for this event. Please pay another way.',
  },
};
