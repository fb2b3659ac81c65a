"""Writes src/domain/zone/zones.txt, and tests/tables/areas.txt to compare it with.

Needs PyPI phonenumbers (libphonenumber's data, Apache-2.0), tzdata (public domain) and zipcodes (MIT):
    python tests/tables/zones.py
"""
import collections, importlib.resources, os
import phonenumbers, zipcodes
from phonenumbers.tzdata import TIMEZONE_DATA

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# What libphonenumber has wrong or only half, by area code. NANPA's planning maps and tz's comments.
CORRECT = {
    '689': ['America/New_York'],
    '306': ['America/Regina'],
    '709': ['America/Goose_Bay', 'America/St_Johns'],
    '867': ['America/Atikokan', 'America/Cambridge_Bay', 'America/Edmonton', 'America/Inuvik', 'America/Iqaluit', 'America/Rankin_Inlet',
            'America/Resolute', 'America/Whitehorse'],
    '907': ['America/Adak', 'America/Anchorage', 'America/Juneau', 'America/Metlakatla', 'America/Nome', 'America/Sitka', 'America/Yakutat'],
    '250': ['America/Creston', 'America/Dawson_Creek', 'America/Edmonton', 'America/Fort_Nelson', 'America/Vancouver'],
    '807': ['America/Atikokan', 'America/Toronto', 'America/Winnipeg'],
    '418': ['America/Halifax', 'America/Toronto'],
    '402': ['America/Chicago', 'America/Denver'],  # Cody, in the west of Cherry County
}
# Area codes laid over another one of more than one zone, or over one that is corrected.
OVERLAYS = [('270', '364'), ('541', '458'), ('812', '930'), ('850', '448'), ('208', '986'), ('250', '236', '257', '672', '778'), ('418', '367', '581'),
            ('709', '879'), ('306', '474', '639'), ('407', '321', '689'), ('402', '531')]
# The data has zones of other countries in place of a country's own, which keep another summer time.
RENAME = {('7', 'Europe/Bucharest'): ['Europe/Kaliningrad'], ('52', 'America/New_York'): ['America/Cancun'], ('211', 'Africa/Nairobi'): ['Africa/Juba'],
          ('212', 'Atlantic/Canary'): ['Africa/Casablanca', 'Africa/El_Aaiun'], ('213', 'Europe/Paris'): ['Africa/Algiers'],
          ('218', 'Europe/Bucharest'): ['Africa/Tripoli'], ('505', 'America/Chicago'): ['America/Managua'],
          ('970', 'Europe/Bucharest'): ['Asia/Gaza', 'Asia/Hebron']}


def own(prefix, zone):
    return next((names for (code, foreign), names in RENAME.items() if prefix.startswith(code) and zone == foreign), [zone])


def prefixes():
    """Zones by prefix: of North America by area code, the union of its exchanges."""
    out = collections.defaultdict(set)
    for prefix, zones in TIMEZONE_DATA.items():
        zones = {name for z in zones for name in own(prefix, z)}
        key = prefix[:4] if prefix[0] == '1' and len(prefix) > 4 else prefix
        out[key] |= zones
    for area, zones in CORRECT.items():
        out['1' + area] = set(zones)
    for group in OVERLAYS:
        all_of_them = set().union(*(out[f'1{a}'] for a in group if a not in ('689', '474')))
        for area in group:
            out['1' + area] = set(all_of_them)
    for area in ('407', '321', '689'):
        out['1' + area] = {'America/New_York'}
    return out


def zone_tab():
    text = importlib.resources.files('tzdata').joinpath('zoneinfo/zone.tab').read_text()
    out = collections.defaultdict(set)
    for line in text.splitlines():
        if line and line[0] != '#':
            country, _, zone = line.split('\t')[:3]
            out[country].add(zone)
    return out


def countries(by_prefix):
    """Zones of a country's numbers that are of no place: all of its calling code, and all of its own."""
    own, out = zone_tab(), {}
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        code = str(phonenumbers.country_code_for_region(region))
        shared = set() if code == '1' else by_prefix.get(code, set())
        out[region] = shared | own.get(region, set())
    return out


def zones():
    by_prefix = prefixes()
    by_country = countries(by_prefix)
    names = sorted(set().union(*by_prefix.values(), *by_country.values()))
    at = {n: i for i, n in enumerate(names)}
    key = lambda zs: ','.join(str(at[z]) for z in sorted(zs))
    lines = [
        "# Candidate time zones of a phone number.",
        "# Written by tests/tables/zones.py from libphonenumber's public time-zone data (resources/timezones/map_data.txt) as packaged in",
        f"# PyPI phonenumbers {phonenumbers.__version__}, (C) The Libphonenumber Authors, Apache License 2.0, see LICENSE-APACHE; and from zone.tab of tz, public",
        "# domain. Data only, no code. Corrections are named in the script.",
        "# Line 'z NAME' numbers the zones from 0 in order; 'PREFIX n,n' lists the candidates of a prefix (country calling code and on, without",
        "# '+'; in North America the area code, with all its exchanges); 'CC n,n' those of a country's numbers that are of no place.",
    ]
    lines += [f'z {n}' for n in names]
    lines += [f'{p} {key(z)}' for p, z in sorted(by_prefix.items()) if z]
    lines += [f'{c} {key(z)}' for c, z in sorted(by_country.items()) if z]
    open(f'{ROOT}/src/domain/zone/zones.txt', 'w').write('\n'.join(lines) + '\n')


def areas():
    """Zones of US area codes as another source has them: by post code, where the state is one of the area code's."""
    states = {}
    for line in open(f'{ROOT}/src/domain/legal/us_areas.txt'):
        if line[0] != '#':
            area, of = line.split()
            states[area] = of.split(',')
    seen = collections.defaultdict(collections.Counter)
    for z in zipcodes.list_all():
        for area in z['area_codes']:
            if z['state'] in states.get(area, []) and '/' in z['timezone']:
                seen[area][z['timezone']] += 1
    lines = [
        "# Time zones of US area codes by post code: AREA ZONE:POST-CODES,...",
        f"# Written by tests/tables/zones.py from PyPI zipcodes {getattr(zipcodes, '__version__', '3.0.0')} (MIT, (C) Sean Pianka). Its areas are drawn roughly: a few",
        "# post codes spill over a border.",
    ]
    lines += [f'{a} ' + ','.join(f'{z}:{n}' for z, n in c.most_common()) for a, c in sorted(seen.items())]
    open(f'{HERE}/areas.txt', 'w').write('\n'.join(lines) + '\n')


zones()
areas()
