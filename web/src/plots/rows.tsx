// A bar per row with its number: importances, counts by name.
import { figure } from '../design/format';

export function BarRows({ rows, label }: { rows: { name: string; value: number }[]; label: string }) {
  const high = Math.max(1e-12, ...rows.map((row) => Math.abs(row.value)));
  return (
    <table className="tb flat barrows" aria-label={label}>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <td className="ell">{row.name}</td>
            <td>
              <svg width={120} height={14} aria-hidden="true">
                <rect width={(120 * Math.max(0, row.value)) / high} height={14} fill="var(--c6)" />
              </svg>
            </td>
            <td className="num">{figure(row.value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
