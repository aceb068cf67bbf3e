"""A server on 1,000,000 runs of 10 metrics, 5 params and 3 tags: what its searches cost, how long it takes to start, and its memory at rest and after pages were read.

  bench/many_runs.py BUILD [RUNS]"""
import contextlib
import json
import os
import statistics
import subprocess
import sys

from mlflow_servers import Connection, Gyre

STARTS, PAGES = 5, 50
SEARCH = json.dumps({'experiment_ids': ['1'], 'filter': 'metrics.m0 > 0.1', 'order_by': ['metrics.m1 DESC'], 'max_results': 100}).encode()


def search(server, pages):
    """CPU of a page over MLflow's protocol."""
    with contextlib.closing(Connection(server.port)) as connection:
        before = server.cpu_seconds()
        for _ in range(pages):
            connection.send(connection.head('POST', '/api/2.0/mlflow/runs/search', len(SEARCH)) + SEARCH)
            status, answer = connection.answer()
            assert status == 200, (status, answer[:300])
        return (server.cpu_seconds() - before) * 1e3 / pages, len(json.loads(answer).get('runs', []))


def main():
    build, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    server = Gyre()
    data = os.path.join(server.folder, 'data')
    os.mkdir(data, 0o700)
    try:
        subprocess.run([os.path.join(build, 'bench', 'ml_tracking_run_search_bench'), build, str(runs), data], check=True)
        server.start()  # the other modules' tables
        server.stop()
        wall, cpu, idle = [], [], []
        for _ in range(STARTS):
            server.start()
            wall.append(server.start_ms)
            cpu.append(server.start_cpu_ms)
            idle.append(server.idle_mb)
            server.stop()
        print(f'{runs:,} runs: a server starts in {statistics.median(wall):.0f} ms ({statistics.median(cpu):.0f} CPU-ms; owed <= 50 ms), '
              f'idle {statistics.median(idle):.1f} MB (owed <= 40 MB)')
        server.start()
        first, _ = search(server, 1)
        page, found = search(server, PAGES)
        print(f'a page of {found} over MLflow\'s protocol: the first {first:.0f} CPU-ms, then {page:.2f}; memory after that {server.memory_mb():.1f} MB')
    finally:
        server.remove()


if __name__ == '__main__':
    main()
