import { useRouter } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';

import { call } from '../api/client';
import { queryClient } from '../api/queries';
import { Dialog } from '../design/dialog';
import { Button } from '../design/parts';
import { ProblemPanel } from '../design/problem';

// A project begins with its problem: what is to be solved, and how one will know.
export function NewProject() {
  const [open, setOpen] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const router = useRouter();

  async function make(form: FormData) {
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const name = text('name');
    const goal = text('goal');
    setProblem(undefined);
    try {
      await call('POST /api/v1/projects', { body: { name, problem: { statement: text('statement'), target: text('target'), kpis: goal === '' ? [] : [goal] } } });
      await queryClient.invalidateQueries();
      setOpen(false);
      await router.navigate({ to: '/p/$project', params: { project: name } } as never);
    } catch (error) {
      setProblem(error);
    }
  }

  return (
    <>
      <Button kind="primary" icon={<Plus size={14} aria-hidden="true" />} onClick={() => setOpen(true)}>
        New project
      </Button>
      {open && (
        <Dialog title="New project" onClose={() => setOpen(false)}>
          <form
            className="form"
            onSubmit={(event) => {
              event.preventDefault();
              void make(new FormData(event.currentTarget));
            }}
          >
            <label>
              Name
              <input className="inp" name="name" required pattern="[A-Za-z0-9][A-Za-z0-9._\-]*" placeholder="churn" autoComplete="off" />
            </label>
            <label>
              What is to be solved, and for whom
              <input className="inp" name="statement" placeholder="Which customers will leave next month?" autoComplete="off" />
            </label>
            <label>
              Column that is to be predicted, if it is known
              <input className="inp" name="target" placeholder="churned" autoComplete="off" />
            </label>
            <label>
              Goal: how one will know
              <input className="inp" name="goal" placeholder="auc >= 0.84" autoComplete="off" />
            </label>
            <Button kind="primary" type="submit">
              Make the project
            </Button>
          </form>
          {problem !== undefined && <ProblemPanel error={problem} />}
        </Dialog>
      )}
    </>
  );
}
