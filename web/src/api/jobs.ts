// Long work answers with a job, whose own stream tells how far it is until it ends.
import { Problem, send } from './client';
import type { Job, Problem as ProblemDocument } from './generated';
import { readEvents } from './sse';

// The job as it ended well; throws what it failed with.
export async function followJob(job: Job, told: (job: Job) => void): Promise<Job> {
  let last = job;
  const response = await send('GET /api/v1/jobs/{job}/events', { path: { job: job.id } });
  for await (const event of readEvents(response)) {
    last = event as Job;
    told(last);
  }
  if (last.state === 'succeeded') return last;
  const error = last.error as Partial<ProblemDocument> | null | undefined;
  throw new Problem({ ...error, message: error?.message ?? `The job was ${last.state}`, status: 422 });
}
