"""A project at a glance: what its eight stages show from an empty project to a canary and an alert of a goal, what the next act is, and how mature it is; every act
that is named is a command of this program."""
import os
import shlex

from churn_table import write_table
from harness import Gyre, run_scenarios

BASE = '/api/v1/projects/default/'


def stages(g):
    return {s['stage']: s for s in g.cli_json('loop')['stages']}


def acts(g):
    loop, maturity = g.json('GET', BASE + 'loop'), g.json('GET', BASE + 'maturity')
    for stage in loop['stages']:
        yield stage['next']
    for scale in maturity['scales']:
        for row in scale['rows']:
            if row['act']:
                yield row['act']


def every_act_is_a_command(g):
    for act in acts(g):
        words = shlex.split(act['command'])
        assert words[0] == 'gyre' and act['label'] and act['page'], act
        read = g.cli(*(words[1:2] if words[1] == 'run' else words[1:]), '--help', check=False)  # else it is the program's
        assert read.returncode == 0, (act, read.stderr)


def level(g, scale):
    return next(s['level'] for s in g.cli_json('maturity')['scales'] if s['scale'] == scale)


def from_nothing_to_a_canary(_):
    with Gyre(environment={'GYRE_KPIS_EVERY': '0'}) as g:
        g.start()
        assert {s['state'] for s in stages(g).values()} == {'idle'}
        every_act_is_a_command(g)
        assert g.cli('loop', '--model', 'nobody', check=False).returncode == 3
        assert g.cli('loop', '-p', 'nobody', check=False).returncode == 3
        write_table(os.path.join(g.work, 'churn.csv'))
        g.cli('add', 'churn.csv')
        assert stages(g)['data']['figure'].startswith('churn:v1, '), stages(g)['data']
        g.cli('projects', 'edit', 'default', '--statement', 'Who leaves?', '--kpi', 'auc >= 0.5')
        g.cli('train', 'churn', '--target', 'Churn', '--budget', '1s')
        g.cli('deploy', 'churn@champion')
        g.cli('kpi')
        now = stages(g)
        assert [now[s]['state'] for s in ('goal', 'preparation', 'features', 'development', 'evaluation', 'deployment')] == ['ok'] * 6, now
        assert now['deployment']['figure'] == 'churn:v1 answers' and now['monitoring']['figure'] == 'Waits for traffic', now
        every_act_is_a_command(g)
        [lap] = g.json('GET', BASE + 'loop')['laps']
        efforts = [a['effort'] for a in lap['arcs']]
        assert lap['answers'] and efforts == ['some', 'most', 'most', 'some', 'most', 'some', 'some', 'most'], lap
        assert level(g, 'azure') == 0
        rows = {(r['level'], r['claim']): r for s in g.cli_json('maturity')['scales'] if s['scale'] == 'azure' for r in s['rows']}
        assert rows[2, 'Training can be repeated']['met'] and rows[3, 'What answers leads back to its data']['met'], rows
        second_lap(g)


def second_lap(g):
    g.cli('train', 'churn', '--target', 'Churn', '--budget', '1s', '--seed', '5', '--gate', 'judge')
    assert g.json('GET', BASE + 'loop')['running'] is None
    g.cli('deploy', 'churn:v2', '--canary', '25%')
    loop = g.json('GET', BASE + 'loop')
    assert loop['running']['stage'] == 'deployment' and loop['running']['version'] == 2, loop['running']
    assert [lap['version'] for lap in loop['laps']] == [1, 2] and loop['laps'][1]['arcs'][1]['effort'] == 'reused', loop['laps']
    assert stages(g)['deployment']['figure'] == 'Canary churn:v2 at 25 %', stages(g)['deployment']
    g.cli('projects', 'edit', 'default', '--kpi', 'auc >= 0.999999')
    g.cli('kpi')
    goal = stages(g)['goal']
    assert goal['state'] == 'bad' and 'goal auc >= 0.999999' in goal['figure'], goal
    text = g.cli('loop').stdout
    assert 'default: Who leaves?' in text and '2 laps of churn; now: canary at 25 %' in text and 'azure' in text, text


if __name__ == '__main__':
    run_scenarios([from_nothing_to_a_canary])
