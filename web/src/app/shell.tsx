// The frame: rail with the eight stages, top bar, status bar, tabs at the bottom of a narrow screen.
import { Link, Outlet, useLocation, useParams, useRouter } from '@tanstack/react-router';
import { Check, ChevronDown, ChevronRight, LogOut, Menu, Moon, Search, Sun } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { Suspense, lazy, useEffect, useState } from 'react';
import type { ReactNode } from 'react';

import { call } from '../api/client';
import { queryClient, useApi, useLateApi } from '../api/queries';
import { follow, useStream } from '../api/stream';
import { Brand, Mark } from '../design/mark';
import { Ago, IconButton } from '../design/parts';

import { useCrumbs } from './crumbs';
import { LOOP, SERVER_PLACES, STAGES, TABS } from './navigation';
import type { Place } from './navigation';
import { toggleTheme, useTheme } from './theme';

const Palette = lazy(() => import('./palette'));

// Addresses of the menus are words of tables, which the router's types cannot follow.
export function Goto({ to, project, exact = false, children }: { to: string; project?: string | undefined; exact?: boolean; children: ReactNode }) {
  return (
    <Link to={to as never} params={{ project } as never} activeOptions={{ exact }} activeProps={{ 'aria-current': 'page' }}>
      {children}
    </Link>
  );
}

function ProjectSwitch({ project }: { project: string }) {
  const projects = useLateApi('GET /api/v1/projects', { query: { limit: 1000 } });
  const current = projects?.items.find((item) => item.name === project);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="proj">
        <span className="grow ell">
          <b className="ell">{project}</b>
          <small className="ell">{current?.problem?.target ? `target ${current.problem.target}` : 'project'}</small>
        </span>
        <ChevronDown size={14} aria-hidden="true" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="dropdown" align="start" sideOffset={4}>
          {(projects?.items ?? []).map((item) => (
            <DropdownMenu.Item key={item.id} asChild>
              <Link to="/p/$project" params={{ project: item.name }}>
                <span className="grow ell">{item.name}</span>
                {item.name === project && <Check size={14} aria-hidden="true" />}
              </Link>
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function PlaceLink({ place, project, exact }: { place: Place; project?: string | undefined; exact?: boolean }) {
  const Icon = place.icon;
  return (
    <Goto to={place.to} project={project} exact={exact ?? false}>
      <Icon size={16} strokeWidth={1.7} aria-hidden="true" />
      {place.text}
    </Goto>
  );
}

function Rail({ project, open }: { project: string | undefined; open: boolean }) {
  return (
    <aside className={`rail${open ? ' open' : ''}`}>
      <Link className="brand" to="/">
        <Brand />
        gyre
      </Link>
      {project === undefined ? (
        <nav className="nav" aria-label="Server">
          {SERVER_PLACES.map((place) => (
            <PlaceLink key={place.to} place={place} exact />
          ))}
        </nav>
      ) : (
        <>
          <ProjectSwitch project={project} />
          <nav className="nav" aria-label="Project">
            <PlaceLink place={LOOP} project={project} exact />
            <div className="stages">
              {STAGES.map(({ text, to }, i) =>
                to === undefined ? (
                  <span key={text} className="off">
                    <span className="stn">{i + 1}</span>
                    {text}
                  </span>
                ) : (
                  <Goto key={text} to={to} project={project}>
                    <span className="stn">{i + 1}</span>
                    {text}
                  </Goto>
                ),
              )}
            </div>
          </nav>
          <nav className="nav foot" aria-label="Server">
            <PlaceLink place={{ ...SERVER_PLACES[0]!, text: 'All projects' }} exact />
          </nav>
        </>
      )}
    </aside>
  );
}

function Who() {
  const me = useApi('GET /api/v1/me', {});
  const router = useRouter();
  const letters = me.name
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase())
    .join('')
    .slice(0, 2);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="ava" aria-label={`${letters}: logged in as ${me.name}`}>
        {letters}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="dropdown" align="end" sideOffset={6}>
          <p className="lab">
            {me.name}
            {me.roles.map((grant) => `, ${grant.role}${grant.project === '*' ? '' : ` of ${grant.project}`}`).join('')}
          </p>
          {me.kind === 'owner' ? (
            <p className="lab">On this machine you need no login: the server runs as you.</p>
          ) : (
            <DropdownMenu.Item
              onSelect={() => {
                void call('POST /api/v1/logout', {}).finally(() => {
                  queryClient.clear();
                  void router.navigate({ to: '/login', search: {} });
                });
              }}
            >
              <LogOut size={14} aria-hidden="true" />
              Log out
            </DropdownMenu.Item>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function Top({ project, onFind, onMenu }: { project: string | undefined; onFind: () => void; onMenu: () => void }) {
  const theme = useTheme();
  const crumbs = useCrumbs(project);
  return (
    <div className="top">
      <button type="button" className="iconb menu" aria-label="Menu" onClick={onMenu}>
        <Menu size={16} aria-hidden="true" />
      </button>
      <nav className="crumb" aria-label="Where you are">
        {crumbs.map((crumb, i) =>
          i === crumbs.length - 1 ? (
            <b key={crumb.text} className="ell" aria-current="page">
              {crumb.text}
            </b>
          ) : (
            <span key={crumb.text} className="crumb">
              <Link to={crumb.href as never}>{crumb.text}</Link>
              <ChevronRight size={14} aria-hidden="true" />
            </span>
          ),
        )}
      </nav>
      <button type="button" className="find" onClick={onFind} aria-keyshortcuts="Control+K">
        <Search size={14} aria-hidden="true" />
        <span>Find or do anything</span>
        <kbd aria-hidden="true">Ctrl K</kbd>
      </button>
      <IconButton label={theme === 'dark' ? 'Light' : 'Dark'} onClick={toggleTheme}>
        {theme === 'dark' ? <Sun size={16} aria-hidden="true" /> : <Moon size={16} aria-hidden="true" />}
      </IconButton>
      <Who />
    </div>
  );
}

function StatusBar() {
  const stream = useStream();
  const status = useLateApi('GET /api/v1/status', {});
  const jobs = useLateApi('GET /api/v1/jobs', { query: { limit: 200 } });
  const running = jobs?.items.filter((job) => job.state === 'running').length ?? 0;
  const queued = jobs?.items.filter((job) => job.state === 'queued').length ?? 0;
  return (
    <footer className="bar">
      <span className="st">
        <Mark state={stream.live ? 'ok' : 'wait'} />
        {stream.live ? (
          <b>live</b>
        ) : (
          <span>
            stream lost, values are from <Ago time={new Date(stream.since).toISOString()} />
          </span>
        )}
      </span>
      <span>
        queue <b>{running} running</b>, {queued} waiting
      </span>
      <span className="push">
        {status && (
          <span className="mono">
            gyre {status.version} · {location.host}
          </span>
        )}
      </span>
    </footer>
  );
}

function Tabs({ project }: { project: string }) {
  return (
    <nav className="tabbar" aria-label="Project, short">
      {TABS.map(({ to, text, icon: Icon }) => (
        <Goto key={to} to={to} project={project} exact={to === LOOP.to}>
          <Icon size={16} strokeWidth={1.7} aria-hidden="true" />
          <span>{text}</span>
        </Goto>
      ))}
    </nav>
  );
}

export function Shell(): ReactNode {
  const { project } = useParams({ strict: false }) as { project?: string };
  const { pathname } = useLocation();
  const [finding, setFinding] = useState(false);
  const [menu, setMenu] = useState(false);

  useEffect(() => follow(), []);
  useEffect(() => setMenu(false), [pathname]);
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k') return;
      event.preventDefault();
      setFinding(true);
    };
    addEventListener('keydown', open);
    return () => removeEventListener('keydown', open);
  }, []);

  return (
    <div className="app">
      <a className="skip" href="#page">
        Skip to the page
      </a>
      <Rail project={project} open={menu} />
      <Top project={project} onFind={() => setFinding(true)} onMenu={() => setMenu(!menu)} />
      <main id="page" tabIndex={-1}>
        <Outlet />
      </main>
      <StatusBar />
      {project !== undefined && <Tabs project={project} />}
      {finding && (
        <Suspense>
          <Palette project={project} onClose={() => setFinding(false)} />
        </Suspense>
      )}
    </div>
  );
}
