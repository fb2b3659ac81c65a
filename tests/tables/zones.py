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
    '306': ['America/Edmonton', 'America/Regina', 'America/Winnipeg'],  # Lloydminster; Creighton beside Flin Flon
    '334': ['America/Chicago', 'America/New_York'],  # Phenix City and its neighbours keep Georgia's clock
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
            ('709', '879'), ('306', '474', '639'), ('407', '321', '689'), ('402', '531'), ('334', '483')]

# Outside North America libphonenumber's longest prefix is wrong or too narrow in places, so areas are whole there: what
# is known of an area code by its country's own numbering plan, or all zones of the country.
AREAS = {
    '61': {
        '2': ['Australia/Lord_Howe', 'Australia/Sydney'],
        '3': ['Australia/Hobart', 'Australia/Melbourne'],
        '7': ['Australia/Brisbane', 'Australia/Lindeman', 'Australia/Sydney'],  # Tweed Heads
        '8': ['Australia/Adelaide', 'Australia/Broken_Hill', 'Australia/Darwin', 'Australia/Eucla', 'Australia/Perth'],
    },
    '55': {
        **{a: ['America/Sao_Paulo'] for a in '11 12 13 14 15 16 17 18 19 21 22 24 27 28 31 32 33 34 35 37 38 41 42 43 44 45 46 47 48 49 51 53 54 55 61 62 64'.split()},
        '63': ['America/Araguaina'], '65': ['America/Cuiaba', 'America/Sao_Paulo'], '66': ['America/Cuiaba', 'America/Sao_Paulo'],
        '67': ['America/Campo_Grande', 'America/Sao_Paulo'], '68': ['America/Rio_Branco'], '69': ['America/Porto_Velho', 'America/Rio_Branco'],
        **{a: ['America/Bahia'] for a in '71 73 74 75 77'.split()}, '79': ['America/Maceio'], '82': ['America/Maceio'],
        '81': ['America/Noronha', 'America/Recife'], '87': ['America/Recife'],
        **{a: ['America/Fortaleza'] for a in '83 84 85 86 88 89 98 99'.split()}, '91': ['America/Belem'], '96': ['America/Belem'],
        '93': ['America/Belem', 'America/Santarem'], '94': ['America/Belem', 'America/Santarem'], '92': ['America/Manaus'],
        '97': ['America/Eirunepe', 'America/Manaus', 'America/Rio_Branco'], '95': ['America/Boa_Vista', 'America/Manaus'],
    },
    '64': {'3': ['Pacific/Auckland', 'Pacific/Chatham']},
    '62': {'5': ['Asia/Jakarta', 'Asia/Makassar', 'Asia/Pontianak']},  # Kalimantan
    '56': {'2': ['America/Santiago'], '32': ['America/Santiago', 'Pacific/Easter'], '61': ['America/Punta_Arenas', 'America/Santiago'],
           '67': ['America/Coyhaique', 'America/Punta_Arenas', 'America/Santiago']},
    '593': {'5': ['America/Guayaquil', 'Pacific/Galapagos']},
    # Russia's areas by the clock of their region.
    '7': {
        **{a: ['Europe/Kaliningrad'] for a in ['401']},
        **{a: ['Europe/Moscow', 'Europe/Kirov', 'Europe/Volgograd'] for a in (
            '471 472 473 474 475 481 482 483 484 485 486 487 491 492 493 494 495 496 498 499 811 812 813 814 815 816 817 818 820 821 831 833 834 835 '
            '836 841 843 844 847 855 861 862 863 865 866 867 871 872 873 877 878 879').split()},
        **{a: ['Europe/Samara', 'Europe/Saratov', 'Europe/Ulyanovsk', 'Europe/Astrakhan'] for a in '341 842 845 846 848 851'.split()},
        **{a: ['Asia/Yekaterinburg'] for a in '342 343 345 346 347 349 351 352 353'.split()},
        '381': ['Asia/Omsk'],
        **{a: ['Asia/Barnaul', 'Asia/Krasnoyarsk', 'Asia/Novokuznetsk', 'Asia/Novosibirsk', 'Asia/Tomsk'] for a in '382 383 384 385 388 390 391 394'.split()},
        **{a: ['Asia/Irkutsk'] for a in '301 395'.split()}, '302': ['Asia/Chita', 'Asia/Yakutsk'],
        **{a: ['Asia/Vladivostok'] for a in '421 423 426'.split()}, '416': ['Asia/Yakutsk'],
    },
}
# Of these codes what no area above names may be anywhere in the country.
ANYWHERE = {'61': 'AU', '55': 'BR', '73': 'RU', '74': 'RU', '78': 'RU'}


def whole(prefixes):
    """The areas of a code instead of all the prefixes that libphonenumber has below them, and below what names none."""
    tab = zone_tab()
    gone = [code + area for code, areas in AREAS.items() for area in areas] + list(ANYWHERE)
    out = {p: z for p, z in prefixes.items() if not any(p.startswith(g) for g in gone)}
    below = lambda code: set().union(*(z for p, z in prefixes.items() if p.startswith(code)))
    out.update({code: set(tab[country]) | below(code) for code, country in ANYWHERE.items()})
    out.update({code + area: set(zones) for code, areas in AREAS.items() for area, zones in areas.items()})
    out = joined(out)
    # Christmas Island and the Cocos: countries of their own within Australia's code.
    out.update({p: z | {'Australia/Perth'} for p, z in prefixes.items() if p.startswith('61') and any(n.startswith('Indian/') for n in z)})
    return out


def joined(prefixes):
    """Elsewhere, in a country of several zones, a prefix of more than three digits behind its code is no place of its own."""
    codes = sorted({str(c) for c in phonenumbers.COUNTRY_CODE_TO_REGION_CODE if c != 1}, key=len, reverse=True)
    out = collections.defaultdict(set)
    for prefix, zones in prefixes.items():
        code = next((c for c in codes if prefix.startswith(c)), prefix)
        out[prefix[:len(code) + 3] if prefix[0] != '1' else prefix] |= zones
    return out
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
    return whole(out)


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
