import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import type { ReactNode } from 'react';

// A form that stands before the page. The ground behind it is our own element: radix's writes a <style>, which the page's policy forbids.
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <div className="scrim">
          <Radix.Content className="pal dialog" aria-describedby={undefined}>
            <header className="row">
              <Radix.Title className="t15 strong">{title}</Radix.Title>
              <Radix.Close className="iconb push" aria-label="Close">
                <X size={16} aria-hidden="true" />
              </Radix.Close>
            </header>
            {children}
          </Radix.Content>
        </div>
      </Radix.Portal>
    </Radix.Root>
  );
}
