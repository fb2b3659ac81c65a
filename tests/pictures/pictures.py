#!/usr/bin/env python3
"""Pictures of every room, from the real program: each at three sizes in a dark and a light theme, as SVG.

    cargo build --release && tests/pictures/pictures.py [--program target/release/dialdeck] [--out target/pictures] [--readme docs/deck.svg]

A demonstration is started at each size, a campaign runs until there is something to see, then each room is entered by its
keys. Nothing is asserted: whoever changes a room looks at it. --readme writes the one at the top of README.md."""
import argparse, atexit, os, pathlib, shutil, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'benches' / 'terminal'))
from ptyscreen import Program, svg  # noqa: E402

ESC = '\x1b'
# A name, the keys that lead there from the deck, and those that lead back.
ROOMS = [
    ('deck', 'L', ''),
    ('campaigns', 'CC', ESC),
    ('live', 'LL', ESC),
    ('tagging', 'OO', ESC),
    ('events', 'EE', ESC),
    ('calls', 'K', ESC + ESC),
    ('people', 'B', ESC),
    ('systems', 'A', ESC),
    ('story', 'Ljj\r', ESC),
    ('help', '?', ESC),
    ('palette', ':', ESC),
    ('new-campaign', 'N', ESC + ESC),
    ('quit', 'q', ESC),
]
SIZES = [(80, 24), (120, 40), (200, 60)]
THEMES = {'dark': ('#0f141b', '#e6eaf0'), 'light': ('#fbfaf7', '#1b1f24')}


def folders():
    home = tempfile.mkdtemp(prefix='dialdeck-pictures-')
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return {name: os.path.join(home, name) for name in ('XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_DATA_HOME')}


def started(program, size, theme):
    p = Program([program, 'demo', '--speed', '4', '--contacts', '300', '--theme', theme], *size, env=folders())
    p.wait_for('SIMULATED')
    p.read(1)
    # Whatever greets at first goes; the first campaign runs, and the second.
    p.press(ESC)
    p.press('Cs')
    p.press('js')
    p.read(14)
    return p


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument('--program', default=str(ROOT / 'target' / 'release' / 'dialdeck'))
    args.add_argument('--out', default=str(ROOT / 'target' / 'pictures'))
    args.add_argument('--readme', help='write the deck at 120x40 there too')
    args.add_argument('--only', help='one room')
    a = args.parse_args()
    out = pathlib.Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    for theme, (ground, ink) in THEMES.items():
        for size in SIZES:
            p = started(a.program, size, theme)
            for name, keys, back in ROOMS:
                if a.only in (None, name):
                    p.press(keys, 0.5)
                    p.read(1)
                    picture = svg(p.screen(), ground, ink)
                    (out / f'{name}-{size[0]}x{size[1]}-{theme}.svg').write_text(picture)
                    if a.readme and (name, size, theme) == ('deck', (120, 40), 'dark'):
                        pathlib.Path(a.readme).parent.mkdir(parents=True, exist_ok=True)
                        pathlib.Path(a.readme).write_text(picture)
                    p.press(back)
            p.end()
            print(f'{theme} {size[0]}x{size[1]}', flush=True)
    print(out)


if __name__ == '__main__':
    main()
