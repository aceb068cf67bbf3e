import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { Tooltip } from 'radix-ui';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import './design/layers.css';
import './design/tokens.css';
import './design/base.css';
import './design/parts.css';
import './app/shell.css';
import { Problem } from './api/client';
import { queryClient } from './api/queries';
import { router } from './app/router';

createRoot(document.getElementById('app')!, {
  // What the server refuses is shown where the page would be; only what nobody expected is said here.
  onCaughtError: (error) => {
    if (!(error instanceof Problem)) console.error(error);
  },
}).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <Tooltip.Provider delayDuration={0} skipDelayDuration={0}>
        <RouterProvider router={router} />
      </Tooltip.Provider>
    </QueryClientProvider>
  </StrictMode>,
);
