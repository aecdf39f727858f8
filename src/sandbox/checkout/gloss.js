/** The gateway speaks Korean, as PortOne and the PGs do; this says in English what it says. */

import { chosenLanguage } from './words.js';

const ENGLISH = {
  '[PG] 승인이 거절되었습니다. (한도초과)': 'the PG declines, the limit is exceeded',
  '[PG] 내부 오류': 'an internal error at the PG',
  '[PG] 결제가 승인되지 않았습니다.': 'the PG does not approve it',
  '[PG] 결제가 최종 승인되지 않았습니다.': 'the PG does not approve it in the end',
  '이미 결제된 주문번호입니다.': 'the order is paid already',
  '사전 등록된 결제금액과 일치하지 않습니다.': 'another amount was registered',
  '결제 처리 중 연결이 끊어졌습니다.': 'the connection broke in the middle of it',
  '가상계좌가 말소되었습니다.': 'the virtual account is closed',
  '고객사 서버의 승인 확인에 실패하였습니다.': "the shop's server did not let it pass",
  '관리자 콘솔 취소': 'in the console',
  국민은행: 'Kookmin Bank',
  '알 수 없음': 'unknown',
};

const STOPPED = /^고객사 요청에 의해 결제를 중단합니다\. \(상세사유 : (.*)\)$/s;

/** In the page's language where there are such words; else as it is, for a shop may say anything. */
export function gloss(text) {
  if (chosenLanguage() !== 'en') return text;
  const reason = STOPPED.exec(text)?.[1];
  if (reason !== undefined) return `the shop stops the payment (reason: ${gloss(reason)})`;
  return ENGLISH[text] ?? text;
}
