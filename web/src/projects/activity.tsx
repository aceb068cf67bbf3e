import type { ReactNode } from 'react';

import { useApi } from '../api/queries';
import { Empty, PageHead, Panel } from '../design/parts';

import { Feed } from './feed';
import './home.css';

// What happened on this server, newest first.
export function Activity(): ReactNode {
  const events = useApi('GET /api/v1/events', { query: { limit: 500 } }).items;
  return (
    <>
      <PageHead title="Activity" say="What happened here, newest first." />
      <Panel title="Events" meta={events.length === 500 ? 'the newest 500' : events.length}>
        {events.length === 0 ? <Empty title="Nothing has happened yet" command="gyre demo --keep" /> : <Feed events={events} />}
      </Panel>
    </>
  );
}
