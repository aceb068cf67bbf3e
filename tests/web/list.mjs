// The pages that there are, with something that each must show: tests visit them, shots.mjs takes their pictures. They are of the project churn.
async function newest(url, noun) {
  const answer = await fetch(new URL(`api/v1/projects/churn/${noun}?limit=50`, url));
  return (await answer.json()).items;
}

export async function pages(url) {
  const dataset = (await newest(url, 'datasets')).find((one) => one.name === 'customers').name;
  const [model, endpoint] = [(await newest(url, 'models'))[0].name, (await newest(url, 'endpoints'))[0].name];
  const runs = await newest(url, 'runs');
  const [training, curves] = [runs.find((one) => one.kind === 'training'), runs.find((one) => one.name.startsWith('by-hand')) ?? runs[0]];
  return [
    { name: 'projects', path: '/', shows: 'Projects' },
    { name: 'activity', path: '/activity', shows: 'Events' },
    { name: 'loop', path: '/p/churn', shows: 'Maturity' },
    { name: 'goal', path: '/p/churn/goal', shows: 'Statement' },
    { name: 'models', path: '/p/churn/models', shows: 'Aliases' },
    { name: 'model', path: `/p/churn/models/${model}`, shows: 'Calibration' },
    { name: 'endpoints', path: '/p/churn/endpoints', shows: 'Follows' },
    { name: 'endpoint', path: `/p/churn/endpoints/${endpoint}`, shows: 'Try it' },
    { name: 'monitoring', path: '/p/churn/monitoring', shows: 'Alerts' },
    { name: 'datasets', path: '/p/churn/datasets', shows: 'Warnings' },
    { name: 'dataset', path: `/p/churn/datasets/${dataset}?column=charges`, shows: 'Distribution' },
    { name: 'dataset-rows', path: `/p/churn/datasets/${dataset}?tab=rows`, shows: 'the first 200' },
    { name: 'runs', path: '/p/churn/runs', shows: 'Took' },
    { name: 'run', path: `/p/churn/runs/${training.id}`, shows: 'Candidates' },
    { name: 'run-metrics', path: `/p/churn/runs/${curves.id}?tab=metrics`, shows: 'All metrics' },
    { name: 'run-artifacts', path: `/p/churn/runs/${curves.id}?tab=artifacts`, shows: 'Size' },
  ];
}
