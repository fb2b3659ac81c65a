"""A program in a pseudo-terminal, and the screen that its bytes draw. Standard library only."""
import fcntl, html, os, pty, re, select, signal, struct, termios, time, unicodedata

NAMES = ['#1c1c1c', '#f2594b', '#5fd7a7', '#ffcf5c', '#4f9dff', '#c9a2ff', '#56d4dd', '#c8ccd4',
         '#6b7280', '#ff8a80', '#8ff0c0', '#ffe08a', '#8fc2ff', '#dcc0ff', '#8ae8ee', '#ffffff']


class Program:
    """Runs a command on a terminal of its own and keeps what it sends, each piece with its moment."""

    def __init__(self, argv, columns, rows, env=None, cwd=None):
        self.columns, self.rows, self.log, self.alive = columns, rows, [], True
        self.begun = time.monotonic()
        # The size must be there before the program asks for it.
        self.fd, slave = pty.openpty()
        self._size(slave, columns, rows)
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.fd)
            os.login_tty(slave) if hasattr(os, 'login_tty') else self._login(slave)
            if cwd:
                os.chdir(cwd)
            keep = {k: v for k, v in os.environ.items() if k in ('PATH', 'HOME', 'USER')}
            full = dict(keep, TERM='xterm-256color', COLORTERM='truecolor', LANG='C.UTF-8', LC_ALL='C.UTF-8', **(env or {}))
            try:
                os.execvpe(argv[0], argv, full)
            finally:
                os._exit(127)
        os.close(slave)

    @staticmethod
    def _login(slave):
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        if slave > 2:
            os.close(slave)

    @staticmethod
    def _size(fd, columns, rows):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self._size(self.fd, columns, rows)

    def read(self, seconds, until=None):
        """Reads for so long, or until `until()` holds; False once the program has ended."""
        end = time.monotonic() + seconds
        while self.alive and (left := end - time.monotonic()) > 0:
            if not select.select([self.fd], [], [], min(left, 0.05))[0]:
                continue
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                data = b''
            if not data:
                self.alive = False
                break
            self.log.append((time.monotonic(), data))
            if until and until():
                break
        return self.alive

    def wait_for(self, text, seconds=30):
        self.read(seconds, lambda: text in self.screen().text())
        if text not in self.screen().text():
            raise SystemExit(f'no "{text}" on:\n{self.screen().text()}')

    def press(self, keys, gap=0.35):
        for key in keys:
            os.write(self.fd, key.encode())
            self.read(gap)

    def bytes(self):
        return b''.join(data for _, data in self.log)

    def screen(self):
        screen = Screen(self.columns, self.rows)
        screen.feed(self.bytes().decode('utf-8', 'replace'))
        return screen

    def cpu(self):
        """Processor seconds of the program and its children so far."""
        ticks = 0
        for pid in self._tree():
            try:
                fields = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()
                ticks += int(fields[11]) + int(fields[12])
            except OSError:
                pass
        return ticks / os.sysconf('SC_CLK_TCK')

    def memory(self):
        """Resident MiB."""
        kib = 0
        for pid in self._tree():
            try:
                kib += sum(int(l.split()[1]) for l in open(f'/proc/{pid}/status') if l.startswith('VmRSS'))
            except OSError:
                pass
        return kib / 1024

    def _tree(self):
        found, todo = [], [self.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                for task in os.listdir(f'/proc/{pid}/task'):
                    todo += [int(p) for p in open(f'/proc/{pid}/task/{task}/children').read().split()]
            except OSError:
                pass
        return found

    def end(self):
        for sig in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, sig)
            except ProcessLookupError:
                break
            stop = time.monotonic() + 5
            while time.monotonic() < stop:
                self.read(0.05)
                done, _ = os.waitpid(self.pid, os.WNOHANG)
                if done:
                    os.close(self.fd)
                    return
        os.close(self.fd)


def width(char):
    if unicodedata.combining(char) or unicodedata.category(char) in ('Mn', 'Me', 'Cf'):
        return 0
    return 2 if unicodedata.east_asian_width(char) in 'WF' else 1


BARE = dict(fg=None, bg=None, bold=False, dim=False, italic=False, underline=False, reverse=False)
TOKEN = re.compile(r'\x1b\[([<>=?]?)([0-9;]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-B]|\x1b.|[\x00-\x1f]|[^\x00-\x1f\x1b]')


class Screen:
    """As much of a terminal as full-screen programs use."""

    def __init__(self, columns, rows):
        self.columns, self.rows, self.x, self.y, self.look = columns, rows, 0, 0, dict(BARE)
        self.clear()

    def clear(self):
        self.cells = [[(' ', BARE) for _ in range(self.columns)] for _ in range(self.rows)]

    def feed(self, text):
        for m in TOKEN.finditer(text):
            token = m.group(0)
            if m.group(3):
                if not m.group(1):
                    self.sequence(m.group(2), m.group(3))
                elif m.group(1) == '?' and m.group(2) == '1049':
                    self.clear()
            elif token == '\r':
                self.x = 0
            elif token == '\n':
                self.y = min(self.y + 1, self.rows - 1)
            elif token == '\b':
                self.x = max(self.x - 1, 0)
            elif token >= ' ' and token[0] != '\x1b':
                self.put(token)

    def put(self, char):
        wide = width(char)
        if wide == 0:
            if self.x:
                before, look = self.cells[self.y][self.x - 1]
                self.cells[self.y][self.x - 1] = (before + char, look)
            return
        if self.x + wide > self.columns:
            self.x, self.y = 0, min(self.y + 1, self.rows - 1)
        look = dict(self.look)
        self.cells[self.y][self.x] = (char, look)
        if wide == 2 and self.x + 1 < self.columns:
            self.cells[self.y][self.x + 1] = ('', look)
        self.x = min(self.x + wide, self.columns)

    def sequence(self, params, final):
        given = [int(p) if p else 0 for p in params.split(';')] if params else []
        n = max(given[0] if given else 1, 1)
        if final in 'Hf':
            self.y = min((given[0] if given else 1) or 1, self.rows) - 1
            self.x = min((given[1] if len(given) > 1 else 1) or 1, self.columns) - 1
        elif final == 'A':
            self.y = max(self.y - n, 0)
        elif final == 'B':
            self.y = min(self.y + n, self.rows - 1)
        elif final == 'C':
            self.x = min(self.x + n, self.columns - 1)
        elif final == 'D':
            self.x = max(self.x - n, 0)
        elif final == 'G':
            self.x = min(n, self.columns) - 1
        elif final == 'd':
            self.y = min(n, self.rows) - 1
        elif final in 'JKX':
            self.erase(given[0] if given else 0, final, n)
        elif final == 'm':
            self.sgr(given or [0])

    def erase(self, how, final, n):
        blank = (' ', dict(BARE, bg=self.look['bg']))
        x = min(self.x, self.columns)
        cells = [(self.y, i) for i in (range(x, self.columns) if how == 0 else range(self.columns) if how == 2 else range(min(x + 1, self.columns)))]
        if final == 'X':
            cells = [(self.y, i) for i in range(x, min(x + n, self.columns))]
        if final == 'J':
            rows = range(self.y + 1, self.rows) if how == 0 else range(self.rows) if how == 2 else range(self.y)
            cells += [(r, i) for r in rows for i in range(self.columns)]
        for row, i in cells:
            self.cells[row][i] = blank

    def sgr(self, given):
        look, i = self.look, 0
        flags = {1: ('bold', 22), 2: ('dim', 22), 3: ('italic', 23), 4: ('underline', 24), 7: ('reverse', 27)}
        while i < len(given):
            n = given[i]
            if n == 0:
                look.update(BARE)
            elif n in flags:
                look[flags[n][0]] = True
            elif 22 <= n <= 27:
                look.update({name: False for name, off in flags.values() if off == n})
            elif n in (38, 48) and len(given) > i + 2:
                whole = given[i + 1] == 2
                look['fg' if n == 38 else 'bg'] = '#%02x%02x%02x' % tuple(given[i + 2:i + 5]) if whole else indexed(given[i + 2])
                i += 4 if whole else 2
            elif n in (39, 49):
                look['fg' if n == 39 else 'bg'] = None
            else:
                for base, key, bright in ((30, 'fg', 0), (40, 'bg', 0), (90, 'fg', 8), (100, 'bg', 8)):
                    if base <= n <= base + 7:
                        look[key] = NAMES[n - base + bright]
            i += 1

    def text(self):
        return '\n'.join(''.join(c for c, _ in row).rstrip() for row in self.cells)

    def filled(self):
        return sum(c not in ('', ' ') for row in self.cells for c, _ in row)


def indexed(n):
    if n < 16:
        return NAMES[n]
    if n >= 232:
        return '#%02x%02x%02x' % ((8 + (n - 232) * 10,) * 3)
    steps = [0, 95, 135, 175, 215, 255]
    n -= 16
    return '#%02x%02x%02x' % (steps[n // 36], steps[n // 6 % 6], steps[n % 6])


CELL, LINE, BASE = 8.43, 16, 13


def svg(screen, ground='#0f141b', ink='#e6eaf0'):
    """The screen as a picture that needs no browser and no other program."""
    w, h = screen.columns * CELL, screen.rows * LINE
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.0f} {h}" width="{w:.0f}" height="{h}" '
           f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14"><rect width="100%" height="100%" fill="{ground}"/>']
    for y, row in enumerate(screen.cells):
        x = 0
        while x < screen.columns:
            look, end = row[x][1], x
            while end < screen.columns and row[end][1] == look:
                end += 1
            text = ''.join(c for c, _ in row[x:end])
            fg, bg = look['fg'] or ink, look['bg'] or ground
            if look['reverse']:
                fg, bg = bg, fg
            if bg != ground:
                out.append(f'<rect x="{x * CELL:.2f}" y="{y * LINE}" width="{(end - x) * CELL:.2f}" height="{LINE}" fill="{bg}"/>')
            if text.strip():
                lead = len(text) - len(text.lstrip(' '))
                shown = text.strip(' ')
                cells = sum(max(width(c), 0) for c in shown)
                style = ' font-weight="bold"' * look['bold'] + ' font-style="italic"' * look['italic'] + ' text-decoration="underline"' * look['underline']
                style += ' opacity="0.6"' * look['dim']
                out.append(f'<text xml:space="preserve" x="{(x + lead) * CELL:.2f}" y="{y * LINE + BASE}" fill="{fg}"{style} '
                           f'textLength="{cells * CELL:.2f}" lengthAdjust="spacingAndGlyphs">{html.escape(shown)}</text>')
            x = end
    out.append('</svg>')
    return '\n'.join(out)
