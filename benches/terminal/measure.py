#!/usr/bin/env python3
"""What the console costs in a terminal, measured on the release binary. Standard library only.

    cargo build --release && benches/terminal/measure.py [--program target/release/dialdeck] [--seconds 20]

A database of its own with 2,000 contacts and a campaign of 20 lines, over the program's own simulator (no phone rings). For
each: time from the start to the first whole frame, bytes and processor time a second while nobody types, from the press of a
key to its first byte on the screen, and resident memory. The peers that are installed (htop, btop, btm) go the same way."""
import argparse, json, os, pathlib, re, shutil, socket, statistics, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ptyscreen import Program, Screen  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
AREAS = ['202', '212', '215', '216', '301', '302', '305', '315', '404', '407', '410', '412', '508', '513', '516', '518', '561', '570', '585', '603']


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Stage:
    """A database, a simulator and a campaign."""

    def __init__(self, program):
        self.program, self.home = program, tempfile.mkdtemp(prefix='dialdeck-measure-')
        self.listen, at = f'127.0.0.1:{free_port()}', f'127.0.0.1:{free_port()}'
        self.env = {'HOME': self.home, 'DIALDECK_LISTEN__ADDR': self.listen, 'DIALDECK_COMPLIANCE__PROFILE': 'none',
                    'DIALDECK_COMPLIANCE__COUNTRIES': 'US', 'DIALDECK_TRUNK__CALLS_PER_SECOND': '5', 'DIALDECK_TRUNK__MAX_CONCURRENT': '40',
                    'DATABASE_URL': f'sqlite:{self.home}/m.db'}
        self.simulator = subprocess.Popen([program, 'simulate', '--listen', at, '--mix', '7', '--webhook', f'http://{self.listen}/api/v1/livekit/webhook'],
                                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=self.home)
        for line in self.simulator.stderr:
            name, _, value = line.strip().partition('=')
            if value:
                self.env[name] = value
            if 'Ctrl-C' in line:
                break
        try:
            self.fill()
        except BaseException:
            self.end()
            raise

    def fill(self):
        contacts = os.path.join(self.home, 'contacts.csv')
        with open(contacts, 'w') as f:
            f.write('name,phone,company\n')
            for i in range(2000):
                f.write(f'Contact Number {i},+1{AREAS[i // 100]}55501{i % 100:02},Northwind\n')
        self.do('import', contacts)
        self.do('assistant', 'add', 'Sarah', '--prompt', 'You are Sarah.')
        self.do('number', 'assign', '+12025550100', '--assistant', 'Sarah', '--address', 'simulated.pstn.example')
        self.do('campaign', 'create', 'Q4 Sales', '--assistant', 'Sarah', '--contacts', 'contacts.csv', '--prompt', 'Hello {name}', '--hours', '0-0',
                '--days', 'monday,tuesday,wednesday,thursday,friday,saturday,sunday', '--concurrent', '20', '--cap', '100000', '--delay', '0')

    def do(self, *args):
        done = subprocess.run([self.program, *args], env=dict(os.environ, **self.env), cwd=self.home, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f'{" ".join(args)}: {done.stderr}')

    def console(self, size):
        return Program([self.program, '--theme', 'dark'], *size, env=self.env, cwd=self.home)

    def end(self):
        self.simulator.terminate()
        self.simulator.wait()
        shutil.rmtree(self.home, ignore_errors=True)


def first_frame(p):
    """Milliseconds to the first byte, and to four fifths of the cells that the settled screen has."""
    p.read(4)
    whole = p.screen().filled()
    screen = Screen(p.columns, p.rows)
    for at, data in p.log:
        screen.feed(data.decode('utf-8', 'replace'))
        if screen.filled() >= 0.8 * whole:
            return round((p.log[0][0] - p.begun) * 1000), round((at - p.begun) * 1000)
    return None, None


def window(p, seconds):
    """Bytes a second, writes a second, per cent of a core."""
    from_piece, cpu, at = len(p.log), p.cpu(), time.monotonic()
    p.read(seconds)
    took = time.monotonic() - at
    sent = [len(data) for _, data in p.log[from_piece:]]
    return round(sum(sent) / took), round(len(sent) / took, 1), round(100 * (p.cpu() - cpu) / took, 2)


def keys(p, pressed, times):
    """Milliseconds from the key to the first byte: median, 99 of 100, bytes. A key goes when nothing has come for a moment."""
    took, sent = [], []
    for i in range(times):
        quiet = time.monotonic() + 0.02
        while time.monotonic() < quiet:
            n = len(p.log)
            p.read(0.02)
            if len(p.log) > n:
                quiet = time.monotonic() + 0.02
        n, at = len(p.log), time.monotonic()
        os.write(p.fd, pressed[i % len(pressed)].encode())
        p.read(1, lambda: True)
        if len(p.log) > n:
            took.append((p.log[n][0] - at) * 1000)
            sent.append(len(p.log[n][1]))
    took.sort()
    at99 = took[min(len(took) - 1, int(len(took) * 0.99))]
    return round(statistics.median(took), 1), round(at99, 1), round(statistics.median(sent))


def ours(program, seconds, presses):
    stage, rows = Stage(program), []
    try:
        stage.console((120, 40)).end()
        p = stage.console((120, 40))
        first = first_frame(p)
        p.read(3)
        idle = window(p, seconds)
        rows.append(dict(what='dialdeck, idle', size='120x40', first_ms=first, bytes_s=idle[0], writes_s=idle[1], cpu=idle[2], key_ms=keys(p, 'CL', presses), mib=round(p.memory(), 1)))
        # A first start asks where phones may ring.
        p.press('Cs')
        p.press('y')
        p.press('L')
        wait_live(p, 16)
        for size in ((120, 40), (200, 60)):
            p.resize(*size)
            p.read(3)
            busy = window(p, seconds)
            rows.append(dict(what=f'dialdeck, {live(p)} live calls', size='%dx%d' % size, bytes_s=busy[0], writes_s=busy[1], cpu=busy[2], key_ms=keys(p, 'jk', presses), mib=round(p.memory(), 1)))
        os.kill(p.pid, 9)
        os.waitpid(p.pid, 0)
    finally:
        stage.end()
    return rows


def live(p):
    found = re.search(r'[Ll]ive(?: calls)? (\d+)', p.screen().text()) or re.search(r'(\d+)/20', p.screen().text())
    return int(found.group(1)) if found else 0


def wait_live(p, wanted):
    end = time.monotonic() + 90
    while live(p) < wanted and time.monotonic() < end:
        p.read(1)


def peer(argv, seconds, presses):
    rows = []
    for size in ((120, 40), (200, 60)):
        p = Program(argv, *size)
        first = first_frame(p)
        busy = window(p, seconds)
        rows.append(dict(what=argv[0], size='%dx%d' % size, first_ms=first, bytes_s=busy[0], writes_s=busy[1], cpu=busy[2], key_ms=keys(p, ['\x1b[B', '\x1b[A'], presses), mib=round(p.memory(), 1)))
        p.end()
    return rows


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument('--program', default=str(ROOT / 'target' / 'release' / 'dialdeck'))
    args.add_argument('--seconds', type=float, default=20)
    args.add_argument('--presses', type=int, default=200)
    args.add_argument('--json', action='store_true')
    args.add_argument('--no-peers', action='store_true')
    a = args.parse_args()
    rows = ours(a.program, a.seconds, a.presses)
    for name in () if a.no_peers else ('htop', 'btop', 'btm'):
        if shutil.which(name):
            rows += peer([name], a.seconds, min(a.presses, 50))
        else:
            print(f'{name} is not installed: skipped', file=sys.stderr)
    if a.json:
        return print(json.dumps(rows))
    print('| what | size | first byte / frame ms | bytes/s | writes/s | % of a core | key to paint p50 / p99 ms, bytes | RSS MiB |\n|---|---|---|---|---|---|---|---|')
    for r in rows:
        first = '%s / %s' % r['first_ms'] if 'first_ms' in r else ''
        print(f"| {r['what']} | {r['size']} | {first} | {r['bytes_s']:,} | {r['writes_s']} | {r['cpu']} | {r['key_ms'][0]} / {r['key_ms'][1]}, {r['key_ms'][2]} | {r['mib']} |")
    return None


if __name__ == '__main__':
    main()
