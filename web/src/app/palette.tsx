// Ctrl K: one list of places, things and acts. The combobox pattern: the field keeps the focus, arrows move the selection.
import { useRouter } from '@tanstack/react-router';
import { Box, Database, FolderOpen, Moon, Rocket, Search } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useMemo, useState } from 'react';

import { useLateApi } from '../api/queries';

import { go } from './go';
import { LOOP, SERVER_PLACES, STAGES } from './navigation';
import { toggleTheme } from './theme';

interface Entry {
  group: 'Go to' | 'Things' | 'Do';
  icon: LucideIcon;
  text: string;
  about: string;
  run: () => void;
}

const SHOWN_MAX = 24;

function useEntries(project: string | undefined): Entry[] {
  const router = useRouter();
  const projects = useLateApi('GET /api/v1/projects', { query: { limit: 1000 } });
  const path = { project: project ?? '' };
  const datasets = useLateApi('GET /api/v1/projects/{project}/datasets', { path }, project !== undefined);
  const models = useLateApi('GET /api/v1/projects/{project}/models', { path }, project !== undefined);
  const endpoints = useLateApi('GET /api/v1/projects/{project}/endpoints', { path }, project !== undefined);
  return useMemo(() => {
    const to = (href: string) => () => go(router, href);
    const base = `/p/${encodeURIComponent(project ?? '')}`;
    const entries: Entry[] = [];
    if (project !== undefined) {
      for (const place of [LOOP, ...STAGES]) {
        if (place.to !== undefined) entries.push({ group: 'Go to', icon: Search, text: place.text, about: `of ${project}`, run: to(place.to.replace('/p/$project', base)) });
      }
    }
    for (const place of SERVER_PLACES) entries.push({ group: 'Go to', icon: place.icon, text: place.text, about: 'of this server', run: to(place.to) });
    const things: [LucideIcon, string, string, { name: string }[] | undefined][] = [
      [Database, 'Dataset', '/datasets/', datasets?.items],
      [Box, 'Model', '/models/', models?.items],
      [Rocket, 'Endpoint', '/endpoints/', endpoints?.items],
    ];
    for (const [icon, noun, folder, items] of things) {
      if (!STAGES.some((stage) => stage.to === `/p/$project${folder.slice(0, -1)}`)) continue;
      for (const item of items ?? []) entries.push({ group: 'Things', icon, text: `${noun} ${item.name}`, about: '', run: to(`${base}${folder}${encodeURIComponent(item.name)}`) });
    }
    for (const item of projects?.items ?? [])
      entries.push({ group: 'Things', icon: FolderOpen, text: `Project ${item.name}`, about: item.problem?.statement ?? '', run: to(`/p/${encodeURIComponent(item.name)}`) });
    entries.push({ group: 'Do', icon: Moon, text: 'Light or dark', about: '', run: toggleTheme });
    return entries;
  }, [project, projects, datasets, models, endpoints, router]);
}

export default function Palette({ project, onClose }: { project: string | undefined; onClose: () => void }) {
  const entries = useEntries(project);
  const [query, setQuery] = useState('');
  const [selected, setSelected] = useState(0);
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = entries.filter((entry) => words.every((word) => `${entry.text} ${entry.about}`.toLowerCase().includes(word))).slice(0, SHOWN_MAX);
  const at = Math.min(selected, hits.length - 1);

  const run = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    onClose();
    entry.run();
  };

  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <div className="scrim">
          <Dialog.Content className="pal" aria-describedby={undefined}>
            <Dialog.Title className="sr">Find or do anything</Dialog.Title>
            <div className="q">
              <Search size={16} aria-hidden="true" />
              <input
                role="combobox"
                aria-expanded="true"
                aria-controls="palette-list"
                aria-activedescendant={at >= 0 ? `palette-${at}` : undefined}
                aria-label="Find or do anything"
                placeholder="Find or do anything"
                value={query}
                onChange={(event) => {
                  setQuery(event.target.value);
                  setSelected(0);
                }}
                onKeyDown={(event) => {
                  if (event.key === 'ArrowDown') setSelected(Math.min(at + 1, hits.length - 1));
                  else if (event.key === 'ArrowUp') setSelected(Math.max(at - 1, 0));
                  else if (event.key === 'Enter') run(hits[at]);
                  else return;
                  event.preventDefault();
                }}
              />
              <kbd>esc</kbd>
            </div>
            <div className="pal-list" role="listbox" id="palette-list" aria-label="Found">
              {hits.map((entry, i) => {
                const Icon = entry.icon;
                return (
                  <div key={`${entry.group}${entry.text}`}>
                    {hits[i - 1]?.group !== entry.group && (
                      <h3 role="presentation">{entry.group}</h3>
                    )}
                    <div id={`palette-${i}`} className="pal-row" role="option" aria-selected={i === at} onMouseMove={() => setSelected(i)} onClick={() => run(entry)}>
                      <Icon size={16} strokeWidth={1.7} aria-hidden="true" />
                      {entry.text}
                      <span className="dim ell">{entry.about}</span>
                    </div>
                  </div>
                );
              })}
              {hits.length === 0 && <p className="pal-none dim">Nothing is called like that.</p>}
            </div>
            <footer>
              <span>
                <kbd>↑</kbd> <kbd>↓</kbd> move
              </span>
              <span>
                <kbd>↵</kbd> open
              </span>
            </footer>
          </Dialog.Content>
        </div>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
