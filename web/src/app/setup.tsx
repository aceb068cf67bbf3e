import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';

import { call } from '../api/client';
import { queryClient } from '../api/queries';
import { Button } from '../design/parts';
import { ProblemPanel } from '../design/problem';

import { Door } from './door';
import { setupRoute } from './router';

// The page behind the one-time link of a first start: it makes the user who administers.
export function Setup(): ReactNode {
  const { token } = setupRoute.useSearch();
  const router = useRouter();
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);

  async function make(form: FormData) {
    setBusy(true);
    setProblem(undefined);
    try {
      await call('POST /api/v1/setup', {
        body: { token: token ?? '', name: String(form.get('name')), password: String(form.get('password')), as: 'cookie' },
      });
      queryClient.clear();
      // The link is used up; it does not stay in the history.
      await router.navigate({ to: '/', replace: true });
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  if (token === undefined) {
    return (
      <Door title="Set up">
        <p className="sub">This address needs the secret of the setup link, which the server prints when it begins. Each start makes a new one.</p>
      </Door>
    );
  }
  return (
    <Door title="Make the first user">
      <p className="sub">It administers this server. Others are made later, with the roles that they need.</p>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          void make(new FormData(event.currentTarget));
        }}
      >
        <label>
          Name
          <input className="inp" name="name" required autoComplete="username" autoFocus />
        </label>
        <label>
          Password, at least 10 characters
          <input className="inp" name="password" type="password" required minLength={10} autoComplete="new-password" />
        </label>
        <Button kind="primary" type="submit" disabled={busy}>
          Make the user
        </Button>
      </form>
      {problem !== undefined && <ProblemPanel error={problem} />}
    </Door>
  );
}
