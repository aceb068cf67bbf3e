// The pages that there are, with something that each must show: tests visit them, shots.mjs takes their pictures.
export async function pages(url) {
  void url;
  return [
    { name: 'projects', path: '/', shows: 'Projects' },
    { name: 'activity', path: '/activity', shows: 'Events' },
    { name: 'loop', path: '/p/churn', shows: 'churn' },
  ];
}
