import type { Event } from '../api/generated';
import type { State } from '../design/mark';
import { Mark } from '../design/mark';
import { Ago } from '../design/parts';

function field(event: Event, name: string): string {
  const payload = event.payload as Record<string, unknown> | null;
  const value = payload?.[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

// "alert.resolved" -> "alert resolved: churn:kpi".
export function eventText(event: Event): string {
  const what = field(event, 'name') || field(event, 'model') || field(event, 'title') || field(event, 'reference') || field(event, 'dataset') || field(event, 'endpoint');
  return `${event.kind.replace(/[._]/g, ' ')}${what ? `: ${what}` : ''}`;
}

export function eventMark(event: Event): State {
  if (/failed|firing|dead|damaged|missed/.test(event.kind)) return 'bad';
  if (/pending|refused|warn|late/.test(event.kind)) return 'warn';
  if (/started|created|queued/.test(event.kind)) return 'run';
  return 'ok';
}

export function Feed({ events }: { events: Event[] }) {
  return (
    <ul className="feed">
      {events.map((event) => (
        <li key={event.sequence}>
          <Mark state={eventMark(event)} />
          <span className="t12 grow ell">
            {event.project && <b className="strong">{event.project}</b>} {eventText(event)}
          </span>
          <span className="dim t11">
            <Ago time={event.created_at} />
          </span>
        </li>
      ))}
    </ul>
  );
}
