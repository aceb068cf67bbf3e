// What the server refused, in the words of the command line: code, the thing and the rule, why, and the ways out.
import { Problem } from '../api/client';

import { Mark } from './mark';
import { Button, Command } from './parts';

function Remedy({ text }: { text: string }) {
  return /^(gyre|curl) /.test(text) ? <Command text={text} /> : <p className="sub">{text}</p>;
}

export function ProblemPanel({ error, again }: { error: unknown; again?: () => void }) {
  const problem = error instanceof Problem ? error : undefined;
  const message = problem?.message ?? (error instanceof Error ? error.message : String(error));
  return (
    <section className="panel err" role="alert">
      <header>
        <Mark state="bad" />
        <h2>{message}</h2>
        {problem && problem.code !== '' && <span className="acts mono dim">{problem.code}</span>}
      </header>
      <div className="body col">
        {problem?.why && <p>{problem.why}</p>}
        {problem?.where && <pre className="src">{problem.where}</pre>}
        {problem?.fix.map((fix) => <Remedy key={fix} text={fix} />)}
        <div className="row">
          {again && <Button onClick={again}>Try again</Button>}
          {problem && problem.code !== '' && (
            <span className="dim t12">
              <code>gyre explain {problem.code}</code>
            </span>
          )}
          {problem && problem.requestId !== '' && <span className="dim t12 push">request {problem.requestId.slice(0, 8)}</span>}
        </div>
      </div>
    </section>
  );
}
