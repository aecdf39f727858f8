// What the buyer reads when a payment is stopped: plain, kind, and without internals.

import type { RefusalCode, Refused } from './verdict.ts';

export type Language = 'ko' | 'en';

const TEXTS: Record<RefusalCode, Record<Language, string>> = {
  sold_out: {
    ko: '죄송합니다. 모두 매진되었습니다. 결제되지 않았습니다.',
    en: 'Sorry, this is sold out. You have not been charged.',
  },
  all_held: {
    ko: '지금은 남은 자리가 모두 결제 진행 중입니다. 결제가 취소된 자리가 나오면 다시 시도하실 수 있습니다.',
    en: 'Every remaining seat is being paid for right now. If one comes back you can try again.',
  },
  no_adjacent_seats: {
    ko: '요청하신 인원이 함께 앉을 수 있는 자리가 없습니다. 인원을 나누어 다시 시도해 주세요.',
    en: 'There are no seats left side by side for your party. Please try with a smaller number.',
  },
  seat_taken: {
    ko: '선택하신 좌석이 이미 다른 분께 배정되었습니다. 다른 좌석을 선택해 주세요.',
    en: 'The seat you chose has just been taken. Please choose another one.',
  },
  limit_reached: {
    ko: '한 분이 구매하실 수 있는 수량을 넘었습니다.',
    en: 'This is more than one buyer may have.',
  },
  not_open: {
    ko: '아직 판매가 시작되지 않았습니다.',
    en: 'The sale has not opened yet.',
  },
  sale_closed: {
    ko: '판매가 종료되었습니다.',
    en: 'The sale has closed.',
  },
  unknown_order: {
    ko: '주문을 찾을 수 없습니다. 처음부터 다시 주문해 주세요.',
    en: 'We could not find this order. Please start a new order.',
  },
  amount_mismatch: {
    ko: '결제 금액이 주문 금액과 달라 결제를 중단했습니다.',
    en: 'The amount differs from the order, so the payment was stopped.',
  },
  already_paid: {
    ko: '이미 결제가 완료된 주문입니다.',
    en: 'This order has already been paid.',
  },
  order_cancelled: {
    ko: '취소된 주문입니다. 새로 주문해 주세요.',
    en: 'This order was cancelled. Please place a new order.',
  },
  conflicting_repeat: {
    ko: '결제 정보가 처음 요청과 다릅니다. 처음부터 다시 결제해 주세요.',
    en: 'The payment details have changed since the first request. Please start the payment again.',
  },
  hold_ended: {
    ko: '결제 시간이 지나 자리가 해제되었습니다. 다시 시도해 주세요.',
    en: 'The time to pay has passed and the seats were released. Please try again.',
  },
  timed_out: {
    ko: '지금 접속이 많아 처리하지 못했습니다. 결제되지 않았으니 다시 시도해 주세요.',
    en: 'We could not handle this in time. You have not been charged; please try again.',
  },
  overloaded: {
    ko: '지금 접속이 매우 많습니다. 결제되지 않았으니 잠시 후 다시 시도해 주세요.',
    en: 'Very many people are buying right now. You have not been charged; please try again shortly.',
  },
  unavailable: {
    ko: '잠시 이용할 수 없습니다. 결제되지 않았으니 잠시 후 다시 시도해 주세요.',
    en: 'The service is briefly unavailable. You have not been charged; please try again shortly.',
  },
  refused_by_organizer: {
    ko: '주최 측의 판매 조건에 맞지 않아 결제를 중단했습니다.',
    en: "The payment was stopped because it does not meet the organizer's conditions.",
  },
  forbidden: {
    ko: '올바르지 않은 결제 요청입니다. 처음부터 다시 주문해 주세요.',
    en: 'This payment request is not valid. Please start a new order.',
  },
  invalid_request: {
    ko: '올바르지 않은 결제 요청입니다. 처음부터 다시 주문해 주세요.',
    en: 'This payment request is not valid. Please start a new order.',
  },
};

/** At most this many characters of an organizer's own words reach the buyer's screen. */
const REASON_MAX_CHARS = 200;

export function buyerText(refused: Refused, language: Language): string {
  if (refused.code === 'refused_by_organizer' && refused.reason) {
    return refused.reason.slice(0, REASON_MAX_CHARS);
  }
  return TEXTS[refused.code][language];
}
