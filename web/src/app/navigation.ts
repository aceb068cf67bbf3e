// What stands in the rail, and what Ctrl-K goes to. A page that is not there yet is not in the menu; a stage without one is shown, because the loop has
// eight.
import { Activity, Bell, Box, Database, FlaskConical, Gauge, House } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';

export interface Place {
  to: string; // of the router, with $project where it belongs to one
  text: string;
  icon: LucideIcon;
}

export const SERVER_PLACES: Place[] = [
  { to: '/', text: 'Projects', icon: House },
  { to: '/activity', text: 'Activity', icon: Activity },
];

export const LOOP: Place = { to: '/p/$project', text: 'Loop', icon: Gauge };

// The eight stages, in the order of the disc.
export const STAGES: { text: string; to?: string }[] = [
  { text: 'Goal', to: '/p/$project/goal' },
  { text: 'Data', to: '/p/$project/datasets' },
  { text: 'Preparation' },
  { text: 'Features' },
  { text: 'Runs', to: '/p/$project/runs' },
  { text: 'Models', to: '/p/$project/models' },
  { text: 'Endpoints', to: '/p/$project/endpoints' },
  { text: 'Monitoring', to: '/p/$project/monitoring' },
];

// At the bottom of a narrow screen.
export const TABS: Place[] = [LOOP, { to: '/p/$project/datasets', text: 'Data', icon: Database }, { to: '/p/$project/runs', text: 'Runs', icon: FlaskConical }, { to: '/p/$project/models', text: 'Models', icon: Box }, { to: '/p/$project/monitoring', text: 'Alerts', icon: Bell }];

// Whether there is a page of a project at such an address: "runs", "datasets/customers".
export function placeOf(page: string): boolean {
  const noun = page.split('/')[0] ?? '';
  return noun !== '' && STAGES.some((stage) => stage.to === `/p/$project/${noun}`);
}
