"""A full disk: writes are refused with 507 and a code, reads and predictions go on, nothing acknowledged is lost, and space that comes back is used.

Needs a small tmpfs, so root (or a mount namespace); skipped elsewhere."""
import os
import sys

from harness import Gyre, fill, skip, small_disk

MEBIBYTE = 1 << 20


def names(g):
    return {item['name'] for item in g.json('GET', '/api/v1/projects?limit=1000')['items']}


def scenario(g):
    g.start()
    kept = set()
    for i in range(20):
        g.json('POST', '/api/v1/projects', {'name': f'before{i}'})
        kept.add(f'before{i}')
    filler = os.path.join(g.directory, 'filler')
    fill(filler)

    # Small writes may still fit into pages that the database holds already; large ones do not. Each is acknowledged or refused, never half.
    refused = 0
    for i in range(300):
        name = f'full{i}'
        answer = g.http('POST', '/api/v1/projects', {'name': name, 'problem': {'statement': 'long ' * 5000}})
        assert answer.status in (201, 507), (answer.status, answer.body[:300])
        if answer.status == 201:
            kept.add(name)
        else:
            refused += 1
            assert b'"code":"GY' in answer.body, answer.body
        if refused == 5:
            break
    assert refused == 5, 'the disk was never full'
    assert g.http('GET', '/healthz').status == 200 and g.http('GET', '/readyz').status == 200
    assert kept <= names(g), 'reads go on, with everything that was acknowledged'

    upload = g.http('POST', '/api/v1/projects/default/datasets/big/versions?filename=big.csv', 'a,b\n' + '1,2\n' * 500_000, {'Content-Type': 'text/csv'})
    assert upload.status == 507, (upload.status, upload.body[:300])
    # A killed and restarted server finds its data although the disk is full.
    g.kill()
    os.truncate(filler, max(0, os.path.getsize(filler) - MEBIBYTE))  # a start needs a little room for its log and lock
    g.start()
    assert kept <= names(g)

    os.unlink(filler)
    for i in range(20):
        g.json('POST', '/api/v1/projects', {'name': f'after{i}', 'problem': {'statement': 'long ' * 5000}})
        kept.add(f'after{i}')
    assert g.stop() == 0
    g.start()
    assert kept <= names(g)
    assert not os.listdir(os.path.join(g.data, 'blobs', 'incoming')), 'what did not fit was removed'
    assert g.stop() == 0


def main():
    with small_disk(24) as mount:
        if not mount:
            skip('no small file system can be mounted here')
        with Gyre(directory=mount) as g:
            scenario(g)
    print('a full disk refuses writes, loses nothing and recovers')
    return 0


if __name__ == '__main__':
    sys.exit(main())
