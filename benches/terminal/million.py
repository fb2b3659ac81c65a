#!/usr/bin/env python3
"""Every call (K) and people (B) at a million calls and a million contacts, by keys in the real binary. Standard library only.

    benches/terminal/million.py [--program target/release/dialdeck] [--times 20] [--keep FOLDER]

The database is made by SQL beside the program's own, in about two minutes; `--keep` leaves it there for the next run. For each
key: milliseconds from the press to the frame that shows its answer, the best and the median of so many. Nothing asserts a time."""
import argparse, json, os, pathlib, sqlite3, statistics, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from measure import free_port  # noqa: E402
from ptyscreen import Program, Screen  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
MILLION = 1_000_000
NAMES = ['Jane', 'Omar', 'Lena', 'Mei', 'Paul', 'Ana', 'Tom', 'Ravi', 'Lars']


def shell(program, env, *args):
    done = subprocess.run([program, *args], env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f'{" ".join(args)}: {done.stderr}')


def name(i):
    return f'{NAMES[i % 9]} {chr(65 + i % 26)}{chr(97 + i // 26 % 26)}{chr(97 + i // 676 % 26)}{chr(97 + i // 17576 % 26)}'


def number(i):
    return f'+1{917 if i <= MILLION // 2 else 212}{220 + i % 500000 // 10000:03}{i % 10000:04}'


def iso(seconds):
    return time.strftime('%Y-%m-%dT%H:%M:%S+00:00', time.gmtime(seconds))


def fill(program, env, file, n):
    """A list of n people, each called once in the last two months."""
    one = pathlib.Path(env['HOME'], 'people.csv')
    one.write_text('name,phone\nAna First,+12125550100\n')
    shell(program, env, 'assistant', 'add', 'Sarah')
    shell(program, env, 'import', str(one), '--region', 'US')
    shell(program, env, 'campaign', 'create', 'Q4 Sales', '--assistant', 'Sarah', '--contacts', 'people.csv', '--prompt', 'Hello {name}')
    db = sqlite3.connect(file, isolation_level=None)
    for sql in ('PRAGMA synchronous = OFF', 'PRAGMA temp_store = memory', 'PRAGMA cache_size = -200000', 'PRAGMA foreign_keys = OFF', 'BEGIN'):
        db.execute(sql)
    user, campaign, source = db.execute('SELECT user_id, id, csv_file_id FROM campaigns WHERE csv_file_id IS NOT NULL').fetchone()
    now = int(time.time())
    key = lambda kind, i: bytes.fromhex(f'{1760000000000 + kind * 10 ** 10 + i:012x}70008000{i:012x}')
    made = iso(now - 90 * 86400)
    people = ((key(0, i), source, i + 10, name(i), number(i), 'US', 'America/New_York', made) for i in range(1, n + 1))
    db.executemany('INSERT INTO csv_contacts (id, csv_file_id, position, name, phone_number, country, zones, created_at) VALUES (?,?,?,?,?,?,?,?)', people)

    def calls():
        for i in range(1, n + 1):
            at, answered = now - (n - i) * 5 - 600, i % 5 < 2
            state = 'completed' if answered else 'failed' if i % 50 == 3 else 'busy' if i % 10 == 4 else 'no_answer'
            outcome = 'wrong_number' if i % 1000 == 0 else 'do_not_call' if i % 200 == 1 else 'interested' if i % 20 < 2 else 'not_interested'
            outcome, who = (outcome, 'tom' if i % 997 == 0 else 'ana' if i % 3 == 0 else 'bob') if answered and i < n - 200 else (None, None)
            yield (key(1, i), user, campaign, key(0, i), number(i), name(i), 'US', 'America/New_York', i + 10, 1, state, 90, iso(at), iso(at), i, iso(at)[:10],
                   f'r{i}', iso(at + 9) if answered else None, iso(at + 60), 42 + i % 300 if answered else 0, outcome, who and 'operator', who,
                   iso(at + 90) if outcome else None, f'Calls back, asks for offer{i} in writing' if i % 20 == 0 else '', made, made)
    columns = ('id, user_id, campaign_id, contact_id, phone_number, contact_name, country, zones, position, attempt, state, rank, dialable_at, armed_at, dialled, '
               'armed_day, room_name, answered_at, completed_at, call_duration, outcome, outcome_who, outcome_by, outcome_at, notes, created_at, updated_at')
    db.executemany(f'INSERT INTO campaign_calls ({columns}) VALUES ({",".join("?" * 27)})', calls())
    db.execute("INSERT INTO campaign_minutes (campaign_id, minute, armed, dials, answered, failed, talk_seconds) SELECT campaign_id, unixepoch(armed_at) / 60, "
               "count(*), count(*), count(answered_at), count(*) FILTER (WHERE state = 'failed'), sum(call_duration) FROM campaign_calls GROUP BY 1, 2")
    db.execute('UPDATE csv_files SET contact_count = ? WHERE id = ?', (n + 1, source))
    listed = ((user, number(i), 'asked for it', 'import', 'ana', made) for i in range(1, n + 1))
    db.executemany('INSERT INTO do_not_call (user_id, number, reason, source, created_by, created_at) VALUES (?,?,?,?,?,?)', listed)
    db.execute('COMMIT')
    db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    db.close()


def network(program, home):
    """The program's own simulator, and what to tell the console of it: without an engine nobody makes words findable."""
    at, env = f'127.0.0.1:{free_port()}', {'DIALDECK_LISTEN__ADDR': f'127.0.0.1:{free_port()}'}
    simulator = subprocess.Popen([program, 'simulate', '--listen', at], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=home)
    for line in simulator.stderr:
        name, _, value = line.strip().partition('=')
        if value:
            env[name] = value
        if 'Ctrl-C' in line:
            break
    return simulator, env


def until_found(p, file, n):
    """Until every call can be found by its words."""
    while True:
        p.read(2)
        db = sqlite3.connect(f'file:{file}?mode=ro', uri=True)
        done = db.execute("SELECT value FROM settings WHERE key = 'searched_to'").fetchone()
        db.close()
        if done and int(done[0]) >= n:
            return


def shown(p):
    """What stands on the screen now: only what has come since the last look is read."""
    if not hasattr(p, 'live'):
        p.live, p.fed = Screen(p.columns, p.rows), 0
    for _, data in p.log[p.fed:]:
        p.live.feed(data.decode('utf-8', 'replace'))
    p.fed = len(p.log)
    return p.live.text()


def answered(p, keys):
    """From the last of these keys to the frame in which nothing is looked for any more."""
    for key in keys[:-1]:
        os.write(p.fd, key.encode())
        p.read(0.15)
    from_piece, at = len(p.log), time.monotonic()
    os.write(p.fd, keys[-1].encode())
    p.read(10, lambda: 'looking' in shown(p) or len(p.log) > from_piece + 1)
    if 'looking' in shown(p):
        p.read(10, lambda: 'looking' not in shown(p))
    return (p.log[-1][0] - at) * 1000 if len(p.log) > from_piece else None


ESC, END, CLEAR = '\x1b', 'G', '\x15'
# What, the keys before it, the keys that are timed together, the keys after it.
CASES = [
    ('K: opened', [ESC, ESC], ['K'], []),
    ('K: 1 letter of a name', [CLEAR], ['j'], []),
    ('K: 3 letters', [CLEAR, 'j', 'a'], ['n'], []),
    ('K: 4 digits', [CLEAR, '0', '1', '4'], ['2'], []),
    ('K: a rare word of a note', [CLEAR, *'offer99998'], ['0'], []),
    ('K: a common word of a note', [CLEAR, *'writin'], ['g'], []),
    ('K: a word that nobody has', [CLEAR, *'zebr'], ['a'], []),
    ('K: a name and digits', [CLEAR, *'jane 01'], ['4'], []),
    ('K: an outcome', [CLEAR, *'outcome:'], ['i'], []),
    ('K: who tagged', [CLEAR, *'by:'], ['a'], []),
    ('K: a state', [CLEAR, *'state:'], ['f'], []),
    ('K: a day', [CLEAR, *'yesterda'], ['y'], []),
    ('K: the next page', [CLEAR, '\r'], [END], ['/']),
    ('K: in another order, 3000 calls', [CLEAR, '\r'], ['o'], ['o'] * 8 + ['/']),
]
PEOPLE = [
    ('B: opened', [ESC, ESC], ['B'], []),
    ('B: a list', ['k'], ['j'], []),
    ('B: 1 letter', ['\t', '/', CLEAR], ['j'], [ESC, ESC]),
    ('B: a rare name', ['\t', '/', CLEAR, *'jane qxy'], ['z'], [ESC, ESC]),
    ('B: 4 digits', ['\t', '/', CLEAR, *'014'], ['2'], [ESC, ESC]),
    ('B: one number over all', ['\t', 'j'], ['\r'], [ESC, ESC]),
    ('B: the do-not-call list', ['j'], ['k'], ['j']),
    ('C C: opened', [ESC, ESC, 'C'], ['C'], [ESC]),
    ('w', [ESC, ESC, 'C'], ['w'], [ESC]),
]


def main():
    args = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    args.add_argument('--program', default=str(ROOT / 'target/release/dialdeck'))
    args.add_argument('--times', type=int, default=20)
    args.add_argument('--calls', type=int, default=MILLION)
    args.add_argument('--keep')
    args = args.parse_args()
    program = str(pathlib.Path(args.program).resolve())
    home = pathlib.Path(args.keep or tempfile.mkdtemp(prefix='dialdeck-million-'))
    home.mkdir(parents=True, exist_ok=True)
    file = home / 'million.db'
    env = dict(os.environ, HOME=str(home), DATABASE_URL=f'sqlite:{file}')
    if not file.exists():
        fill(program, env, str(file), args.calls)
    simulator, beyond = network(program, str(home))
    env = dict(beyond, HOME=str(home), DATABASE_URL=f'sqlite:{file}')
    start = lambda: Program([program], 120, 40, env=env, cwd=str(home))
    p = start()
    try:
        until_found(p, file, args.calls)
        p.end()
        p = start()
        p.read(3)
        for what, before, timed, after in CASES + PEOPLE:
            took = []
            for _ in range(args.times):
                for key in before:
                    os.write(p.fd, key.encode())
                    p.read(0.12)
                p.read(0.5)
                took.append(answered(p, timed))
                for key in after:
                    os.write(p.fd, key.encode())
                    p.read(0.12)
            took = [t for t in took if t is not None]
            best, median = (min(took), statistics.median(took)) if took else (float('nan'), float('nan'))
            print(f'{what:<36} best {best:7.1f} ms   median {median:7.1f} ms   ({len(took)})', flush=True)
    finally:
        p.end()
        simulator.terminate()
        simulator.wait()


if __name__ == '__main__':
    main()
