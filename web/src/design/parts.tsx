// The parts that every page is made of. Looks come from parts.css and the tokens, behaviour from radix-ui.
import { Check, Copy } from 'lucide-react';
import { Tooltip } from 'radix-ui';
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { ButtonHTMLAttributes, ReactNode } from 'react';

import { absolute, relative } from './format';
import { Mark } from './mark';
import type { State } from './mark';

export function Tip({ text, children }: { text: ReactNode; children: ReactNode }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="tip" sideOffset={6} collisionPadding={6}>
          {text}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { kind?: 'primary' | 'quiet' | 'danger'; small?: boolean; icon?: ReactNode };

export function Button({ kind, small, icon, className, children, ...rest }: ButtonProps) {
  const kinds = { primary: 'pri', quiet: 'qt', danger: 'dan' };
  return (
    <button type="button" className={['btn', kind ? kinds[kind] : '', small ? 'sm' : '', className ?? ''].join(' ').trim()} {...rest}>
      {icon}
      {children}
    </button>
  );
}

// Only for copy, close, search and what opens a menu; other acts have a word.
export function IconButton({ label, children, ...rest }: ButtonHTMLAttributes<HTMLButtonElement> & { label: string }) {
  return (
    <Tip text={label}>
      <button type="button" className="iconb" aria-label={label} {...rest}>
        {children}
      </button>
    </Tip>
  );
}

export function Pill({ tone, mark, line, children }: { tone?: 'ok' | 'warn' | 'bad' | 'run'; mark?: State; line?: boolean; children: ReactNode }) {
  return (
    <span className={['pill', tone ?? '', line ? 'line' : ''].join(' ').trim()}>
      {mark && <Mark state={mark} />}
      {children}
    </span>
  );
}

export function Alias({ name }: { name: string }) {
  const side: Record<string, string> = { champion: 'champ', challenger: 'chall', canary: 'chall' };
  return <span className={`alias ${side[name] ?? 'dim'}`}>@{name}</span>;
}

interface PanelProps {
  title: ReactNode;
  meta?: ReactNode;
  acts?: ReactNode;
  className?: string;
  flush?: boolean;
  children: ReactNode;
}

export function Panel({ title, meta, acts, className = '', flush = false, children }: PanelProps) {
  return (
    <section className={`panel ${className}`.trim()}>
      <header>
        <h2>{title}</h2>
        {meta !== undefined && <span className="meta ell">{meta}</span>}
        {acts !== undefined && <span className="acts">{acts}</span>}
      </header>
      <div className={`body${flush ? ' flush' : ''}`}>{children}</div>
    </section>
  );
}

export function PageHead({ title, pills, say, acts }: { title: ReactNode; pills?: ReactNode; say?: ReactNode; acts?: ReactNode }) {
  return (
    <div className="head">
      <div className="grow">
        <h1>
          {title}
          {pills}
        </h1>
        {say !== undefined && <p className="say">{say}</p>}
      </div>
      {acts !== undefined && <div className="acts">{acts}</div>}
    </div>
  );
}

export function Stats({ children }: { children: ReactNode }) {
  return <div className="stats">{children}</div>;
}

export function Stat({ label, value, unit, note, tone }: { label: ReactNode; value: ReactNode; unit?: ReactNode; note?: ReactNode; tone?: 'bad' | undefined }) {
  return (
    <div className="stat">
      <span>{label}</span>
      <b className={tone}>
        {value}
        {unit !== undefined && <small>{unit}</small>}
      </b>
      <em>{note ?? '\u00a0'}</em>
    </div>
  );
}

// Name and value beside each other; rows without a value are left out.
export function Facts({ rows }: { rows: [name: string, value: ReactNode][] }) {
  return (
    <dl className="kv">
      {rows
        .filter(([, value]) => value !== undefined && value !== null && value !== '')
        .map(([name, value]) => (
          <div key={name} className="kvr">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

// One clock for all relative times of a page.
let now = Date.now();
const ticking = new Set<() => void>();
setInterval(() => {
  now = Date.now();
  for (const tick of ticking) tick();
}, 30_000);

export function useNow(): number {
  return useSyncExternalStore(
    (tick) => {
      ticking.add(tick);
      return () => ticking.delete(tick);
    },
    () => now,
  );
}

export function Ago({ time }: { time: string }) {
  const at = Math.max(useNow(), Date.parse(time) < Date.now() ? Date.parse(time) : 0);
  return (
    <Tip text={absolute(time)}>
      <time dateTime={time}>{relative(time, at)}</time>
    </Tip>
  );
}

// The same act in a shell.
export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <div className="cmd">
      <span>{text}</span>
      <IconButton
        label={copied ? 'Copied' : 'Copy'}
        onClick={() => {
          void navigator.clipboard.writeText(text).then(() => setCopied(true));
        }}
      >
        {copied ? <Check size={14} /> : <Copy size={14} />}
      </IconButton>
    </div>
  );
}

export function Note({ tone, what, children, acts }: { tone: 'ok' | 'warn' | 'bad' | 'run'; what: ReactNode; children?: ReactNode; acts?: ReactNode }) {
  return (
    <div className={`note ${tone}`}>
      <Mark state={tone} />
      <p className="grow">
        <b className="strong">{what}</b> {children}
      </p>
      {acts}
    </div>
  );
}

// What will be here, and the one act that fills it.
export function Empty({ title, children, command }: { title: string; children?: ReactNode; command?: string }) {
  return (
    <div className="empty">
      <b className="strong">{title}</b>
      {children !== undefined && <p className="sub">{children}</p>}
      {command !== undefined && <Command text={command} />}
    </div>
  );
}

// Bars in the shape of what comes; they appear after 150 ms only.
export function Waiting({ rows = 8 }: { rows?: number }) {
  return (
    <div className="waiting" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="row">
          <span className={`skel w${(i * 7) % 4}`} />
          <span className="push skel w4" />
          <span className="skel w4" />
        </div>
      ))}
    </div>
  );
}

export function Segments<T extends string>({ label, options, value, onChange }: { label: string; options: readonly { value: T; text: string }[]; value: T; onChange: (value: T) => void }) {
  return (
    <span className="seg sm" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} onClick={() => onChange(option.value)}>
          {option.text}
        </button>
      ))}
    </span>
  );
}
