// More wait than may: the caller is refused now rather than served too late.

export class TooManyWaiting extends Error {
  constructor(limit: number) {
    super(`more than ${limit} items are waiting`);
    this.name = 'TooManyWaiting';
  }
}
