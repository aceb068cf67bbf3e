import { Tooltip } from 'radix-ui';
import type { ReactElement } from 'react';

// The exact value of a mark of a chart, on hover; the chart's table says the same to whoever has no pointer.
export function Tipped({ text, children }: { text: string; children: ReactElement }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="tip" sideOffset={4} collisionPadding={6}>
          {text}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
