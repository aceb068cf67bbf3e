"""Start-up and idle cost: gyre --version, server start to the first 200, resident memory, CPU of an idle server. Medians of several runs."""
import http.client
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

GYRE = os.environ.get('GYRE', 'build/gyre')


def cpu_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def version_ms(runs=50):
    wall, cpu = [], []
    for _ in range(runs):
        before, begin = cpu_children(), time.perf_counter()
        subprocess.run([GYRE, '--version'], stdout=subprocess.DEVNULL, check=True)
        wall.append((time.perf_counter() - begin) * 1e3)
        cpu.append((cpu_children() - before) * 1e3)
    return statistics.median(wall), statistics.median(cpu)


def resident_mb(pid):
    fields = dict(line.split(':', 1) for line in open(f'/proc/{pid}/status') if ':' in line)
    return int(fields['VmRSS'].split()[0]) / 1024


def server_start(fresh, directory):
    begin = time.perf_counter()
    server = subprocess.Popen([GYRE, 'server', '--data', directory, '--listen', '127.0.0.1:0'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    info = os.path.join(directory, 'server.json')
    try:
        while True:
            try:
                port = json.load(open(info))
                if port['pid'] == server.pid:
                    address = port['url'].split('//')[1].split('/')[0]
                    connection = http.client.HTTPConnection(address, timeout=5)
                    connection.request('GET', '/readyz')
                    if connection.getresponse().status == 200:
                        break
            except (OSError, ValueError, KeyError):
                pass
            time.sleep(0.0005)
        milliseconds = (time.perf_counter() - begin) * 1e3
        time.sleep(0.5)
        return milliseconds, resident_mb(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def main():
    wall, cpu = version_ms()
    print(f'gyre --version            median {wall:6.1f} ms wall, {cpu:5.1f} ms CPU   (owed <= 10 ms)')
    first, later, memory = [], [], []
    for _ in range(5):
        directory = tempfile.mkdtemp(prefix='gyre-bench-')
        try:
            first.append(server_start(True, directory)[0])
            for _ in range(3):
                milliseconds, resident = server_start(False, directory)
                later.append(milliseconds)
                memory.append(resident)
        finally:
            shutil.rmtree(directory)
    print(f'server ready, new folder  median {statistics.median(first):6.1f} ms wall')
    print(f'server ready, again       median {statistics.median(later):6.1f} ms wall   (owed <= 50 ms)')
    print(f'server idle               median {statistics.median(memory):6.1f} MB resident   (owed <= 40 MB)')


if __name__ == '__main__':
    main()
