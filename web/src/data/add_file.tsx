// A file dropped on the page, or chosen, becomes a dataset: sent, read in a worker, and shown.
import { useRouter } from '@tanstack/react-router';
import { Upload } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

import { call } from '../api/client';
import type { Job } from '../api/generated';
import { followJob } from '../api/jobs';
import { queryClient } from '../api/queries';
import { bytes } from '../design/format';
import { Button, Note } from '../design/parts';
import { ProblemPanel } from '../design/problem';

// "Sales 2026.csv.gz" -> "sales-2026": what every place of the product takes as a name.
export function nameOf(filename: string): string {
  const stem = filename.toLowerCase().replace(/\.(gz|zst|bz2)$/, '').replace(/\.[a-z]+$/, '');
  return stem.replace(/[^a-z0-9._-]+/g, '-').replace(/^[^a-z0-9]+|-+$/g, '') || 'data';
}

export function AddFile({ project }: { project: string }) {
  const input = useRef<HTMLInputElement>(null);
  const router = useRouter();
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState<unknown>();

  async function add(file: File) {
    const dataset = nameOf(file.name);
    setProblem(undefined);
    setSaid(`${file.name}, ${bytes(file.size)}, is on its way`);
    try {
      const job = (await call('POST /api/v1/projects/{project}/datasets/{dataset}/versions', { path: { project, dataset }, query: { filename: file.name }, body: file })) as Job;
      await followJob(job, (now) => setSaid(now.progress_text || now.title));
      await queryClient.invalidateQueries();
      await router.navigate({ to: '/p/$project/datasets/$dataset', params: { project, dataset } } as never);
    } catch (error) {
      setProblem(error);
    } finally {
      setSaid('');
    }
  }

  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) void add(file);
    };
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
    };
  });

  return (
    <>
      <div className="row addfile">
        <Button kind="primary" icon={<Upload size={14} aria-hidden="true" />} disabled={said !== ''} onClick={() => input.current?.click()}>
          Add a file
        </Button>
        <span className="dim t12">or drop one on this page: CSV, JSON lines, Parquet, also packed</span>
        <input
          ref={input}
          type="file"
          hidden
          aria-label="File"
          onChange={(event) => {
            const file = event.target.files?.[0];
            event.target.value = '';
            if (file) void add(file);
          }}
        />
      </div>
      {said !== '' && <Note tone="run" what={said} />}
      {problem !== undefined && <ProblemPanel error={problem} />}
    </>
  );
}
