import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';

import { call } from '../api/client';
import { queryClient } from '../api/queries';
import { Button } from '../design/parts';
import { ProblemPanel } from '../design/problem';

import { Door } from './door';
import { go } from './go';
import { loginRoute } from './router';

// The server keeps the session in a cookie that no script reads.
export function Login(): ReactNode {
  const { to } = loginRoute.useSearch();
  const router = useRouter();
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);

  async function enter(form: FormData) {
    setBusy(true);
    setProblem(undefined);
    try {
      await call('POST /api/v1/login', { body: { name: String(form.get('name')), password: String(form.get('password')), as: 'cookie' } });
      queryClient.clear();
      go(router, to ?? '/');
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Door title="Log in">
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          void enter(new FormData(event.currentTarget));
        }}
      >
        <label>
          Name
          <input className="inp" name="name" required autoComplete="username" autoFocus />
        </label>
        <label>
          Password
          <input className="inp" name="password" type="password" required autoComplete="current-password" />
        </label>
        <Button kind="primary" type="submit" disabled={busy}>
          Log in
        </Button>
      </form>
      {problem !== undefined && <ProblemPanel error={problem} />}
      <p className="dim t12">First start? Open the setup link that the server prints when it begins.</p>
    </Door>
  );
}
