import { useLayoutEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';

// Charts are drawn at the true pixel size of their box, so that text stays 11 px.
export function Box({ height, className = '', children }: { height?: number; className?: string; children: (width: number, height: number) => ReactNode }) {
  const ref = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<[number, number]>([0, 0]);
  useLayoutEffect(() => {
    const box = ref.current!;
    const measure = () => setSize((old) => (old[0] === box.clientWidth && old[1] === box.clientHeight ? old : [box.clientWidth, box.clientHeight]));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={ref} className={`chart ${height === undefined ? 'fl' : ''} ${className}`.trim()} style={height === undefined ? undefined : { height }}>
      {size[0] > 0 && size[1] > 0 && children(size[0], size[1])}
    </div>
  );
}
