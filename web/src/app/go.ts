import type { AnyRouter } from '@tanstack/react-router';

// To an address of ours that is text, "/p/churn?x=1": below the path that everything is served under.
export function go(router: Pick<AnyRouter, 'basepath' | 'history'>, address: string) {
  router.history.push((router.basepath === '/' ? '' : router.basepath) + address);
}
