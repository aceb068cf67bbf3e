import { useNavigate } from '@tanstack/react-router';

// The state of a view is its address: [what it says, change a part of it]. A part that is set to `undefined` is the default again.
export function useView<View extends object>(route: { useSearch: () => unknown }): [View, (change: { [K in keyof View]?: View[K] | undefined }) => void] {
  const view = route.useSearch() as View;
  const navigate = useNavigate();
  const change = (part: object) => {
    const next = Object.fromEntries(Object.entries({ ...view, ...part }).filter(([, value]) => value !== undefined));
    void navigate({ to: '.', search: next, replace: true } as never);
  };
  return [view, change];
}
