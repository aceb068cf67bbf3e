// Before anything is drawn: the theme that was chosen, else the system's. Without it a dark page would flash white.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem('gyre.theme');
  } catch {
    // a browser that keeps nothing
  }
  if (theme !== 'light' && theme !== 'dark') theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  document.documentElement.dataset.theme = theme;
})();
