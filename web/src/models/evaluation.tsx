// How a version did on rows that it had not seen: metrics with intervals, curves, confusion, what it rests on.
import type { ModelEvaluation } from '../api/generated';
import { NONE, figure, percent, signed, whole } from '../design/format';
import { Panel } from '../design/parts';
import { Box } from '../plots/box';
import { Curve } from '../plots/curve';
import { BarRows } from '../plots/rows';

const IMPORTANT_MAX = 10;

export function EvaluationCharts({ of }: { of: ModelEvaluation }) {
  const { evaluation, comparison } = of;
  const roc = evaluation.curves?.roc;
  const bins = (evaluation.curves?.calibration?.quantile ?? []).flatMap((bin) =>
    bin.predicted === null || bin.predicted === undefined || bin.observed === null || bin.observed === undefined ? [] : [[bin.predicted, bin.observed] as const],
  );
  return (
    <div className="grid-eval">
      <Panel title="Metrics" meta={`${whole(evaluation.rows)} rows that it had not seen`} flush>
        <table className="tb flat">
          <thead>
            <tr>
              <th>Metric</th>
              <th className="num">Value</th>
              <th className="num">95 % interval</th>
              {comparison && <th className="num">Gain</th>}
            </tr>
          </thead>
          <tbody>
            {Object.entries(evaluation.metrics).map(([name, one]) => {
              const gain = comparison?.metrics[name];
              const sure = gain && ((gain.lower ?? 0) > 0 || (gain.upper ?? 0) < 0);
              return (
                <tr key={name}>
                  <td className={name === evaluation.primary ? 'strong' : ''}>{name}</td>
                  <td className="num strong">{figure(one.estimate)}</td>
                  <td className="num dim">
                    {figure(one.lower)} … {figure(one.upper)}
                  </td>
                  {comparison && (
                    <td className={`num ${sure ? ((gain.gain ?? 0) > 0 ? 'ok' : 'bad') : 'dim'}`}>{gain?.gain === null || gain?.gain === undefined ? NONE : signed(gain.gain)}</td>
                  )}
                </tr>
              );
            })}
          </tbody>
        </table>
      </Panel>
      {roc && (
        <Panel title="ROC">
          <Box height={240}>
            {(width, height) => (
              <Curve points={roc.fpr.map((fpr, i) => [fpr, roc.tpr[i] ?? 0] as const)} diagonal xName="false positive rate" yName="true positive rate" label={`ROC curve, auc ${figure(evaluation.metrics.auc?.estimate)}`} width={width} height={height} />
            )}
          </Box>
        </Panel>
      )}
      {bins.length > 1 && (
        <Panel title="Calibration" meta={evaluation.curves?.calibration?.ece === undefined ? undefined : `ECE ${figure(evaluation.curves.calibration.ece)}`}>
          <Box height={240}>{(width, height) => <Curve points={bins} dots diagonal xName="predicted" yName="observed" label="calibration, by tenths of the rows" width={width} height={height} />}</Box>
        </Panel>
      )}
      <Confusion evaluation={evaluation} />
      {evaluation.importance && evaluation.importance.length > 0 && (
        <Panel title="What it rests on" meta="loss when a column is shuffled">
          <BarRows rows={evaluation.importance.slice(0, IMPORTANT_MAX).map((one) => ({ name: one.column, value: one.mean }))} label="Importance of columns" />
        </Panel>
      )}
    </div>
  );
}

// Rows are what was true, columns what was said.
function Confusion({ evaluation }: { evaluation: ModelEvaluation['evaluation'] }) {
  const counts = evaluation.confusion as number[][] | null | undefined;
  const classes = evaluation.classes ?? [];
  if (!counts || counts.length === 0 || counts.length > 12) return null;
  return (
    <Panel title="Confusion" meta="true by predicted">
      <div className="tb-scroll" role="region" aria-label="Confusion" tabIndex={0}>
        <table className="cm">
          <thead>
            <tr>
              <td />
              {classes.map((name) => (
                <th key={String(name)} scope="col">
                  {String(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {counts.map((row, i) => {
              const total = row.reduce((sum, count) => sum + count, 0) || 1;
              return (
                <tr key={i}>
                  <th scope="row">{String(classes[i])}</th>
                  {row.map((count, j) => (
                    <td key={j} className={i === j ? 'good' : 'miss'} style={{ '--a': count / total } as React.CSSProperties}>
                      <b>{whole(count)}</b>
                      <span>{percent(count / total)}</span>
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
