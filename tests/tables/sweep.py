"""Writes tests/tables/sweep.txt: who may be called at fourteen moments, by a reading of the product's tables (zones.txt, rules.txt,
us_areas.txt) that shares no code with the product. Run it again when one of them changes:
    python tests/tables/sweep.py
Needs PyPI phonenumbers (kinds and countries of numbers) and tzdata (of the version that the product has built in).
"""
import calendar, datetime as dt, os, zoneinfo
import phonenumbers
from phonenumbers import PhoneNumberType as T

zoneinfo.reset_tzpath(to=[])  # the tzdata package, not this host's
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MOMENTS = ['2026-11-25T13:05', '2026-11-26T03:40', '2026-11-26T04:40', '2026-11-26T17:00', '2026-12-07T21:30', '2026-12-09T01:30', '2026-12-09T02:20',
           '2026-12-25T16:00', '2027-01-18T15:00', '2027-03-14T12:30', '2027-03-28T07:30', '2027-07-05T14:00', '2027-07-09T01:30', '2027-07-11T18:30']
DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
NEVER_DIALLED = {T.PREMIUM_RATE, T.SHARED_COST, T.PAGER, T.VOICEMAIL, T.UNKNOWN}


def lines(name):
    return [l.rstrip('\n') for l in open(f'{ROOT}/src/domain/{name}') if l.strip() and l[0] != '#']


def zone_sets():
    names, sets = [], {}
    for line in lines('zone/zones.txt'):
        key, rest = line.split(' ', 1)
        if key == 'z':
            names.append(rest)
        else:
            sets[key] = [names[int(i)] for i in rest.split(',')]
    return sets


SETS = zone_sets()
AREAS = {area: states.split(',') for area, states in (l.split() for l in lines('legal/us_areas.txt'))}
LAWS, HOLIDAYS, PARENTS, ALIASES = {}, {}, {}, {}
for row in lines('legal/rules.txt'):
    cells = [c.strip() for c in row.split('|')]
    words = row.split()
    if words[0] == 'holiday':
        HOLIDAYS.setdefault(words[1], []).append(cells[1].split())
    elif words[0] == 'calendar':
        PARENTS[words[1]] = words[3]
    elif words[0] == 'alias':
        ALIASES.update({place: cells[1] for place in cells[0].split()[1:]})
    else:
        LAWS.setdefault(cells[0], []).append((cells[2], cells[3]))  # rows of any and of automatic calls


def zones_of(number):
    """By the number's kind first, then its digits."""
    digits, kind = f'{number.country_code}{number.national_number}', phonenumbers.number_type(number)
    if number.italian_leading_zero:
        digits = f'{number.country_code}{"0" * (number.number_of_leading_zeros or 1)}{number.national_number}'
    of_a_place = kind == T.FIXED_LINE or (number.country_code == 1 and kind in (T.MOBILE, T.FIXED_LINE_OR_MOBILE))
    if not of_a_place:
        whole = SETS.get('1') if number.country_code == 1 else SETS.get(phonenumbers.region_code_for_number(number))
        if whole:
            return whole
    prefixes = [digits[:n] for n in range(len(digits), 0, -1)]
    return next((SETS[p] for p in prefixes if p in SETS), [])


def easter(year):
    golden, century = year % 19 + 1, year // 100 + 1
    x, z = 3 * century // 4 - 12, (8 * century + 5) // 25 - 5
    d, epact = 5 * year // 4 - x - 10, (11 * golden + 20 + z - x) % 30
    epact += epact == 24 or (epact == 25 and golden > 11)
    n = 44 - epact + (30 if 44 - epact < 21 else 0)
    n += 7 - (d + n) % 7
    return dt.date(year, 3, 1) + dt.timedelta(days=n - 1)


def days_of(rule, year):
    kind, extra = rule[0], rule[-1]
    if extra == 'even' and year % 2:
        return
    if kind == 'fixed':
        month, day = map(int, rule[1].split('-'))
        date = dt.date(year, month, day)
        yield date
        weekday = date.strftime('%a')
        moved = {('observed', 'Sat'): -1, ('observed', 'Sun'): 1, ('sunday', 'Sun'): 1, ('weekend', 'Sat'): 2, ('weekend', 'Sun'): 1, ('before', 'Sun'): -1,
                 ('boxing', 'Sat'): 2, ('boxing', 'Sun'): 2, ('boxing', 'Mon'): 1}.get((extra, weekday))
        if moved:
            yield date + dt.timedelta(days=moved)
    elif kind == 'nth':
        n, day, month = int(rule[1]), DAYS.index(rule[2]), int(rule[3])
        all_of_them = [w[day] for w in calendar.Calendar().monthdatescalendar(year, month) if w[day].month == month]
        later = int(rule[4]) if len(rule) > 4 and rule[4][0] == '+' else 0
        yield all_of_them[n - 1 if n > 0 else n] + dt.timedelta(days=later)
    elif kind == 'monday':
        date = dt.date(year, *map(int, rule[1].split('-')))
        yield date + dt.timedelta(days=-date.weekday() % 7)
    else:
        yield easter(year) + dt.timedelta(days=int(rule[1]))


def is_holiday(name, date):
    years = (date.year - 1, date.year, date.year + 1)
    own = any(date in days_of(rule, y) for rule in HOLIDAYS.get(name, []) for y in years)
    return own or (name in PARENTS and is_holiday(PARENTS[name], date))


def minutes(text):
    h, _, m = text.partition(':')
    return int(h) * 60 + int(m or 0)


def is_open(law, local):
    hours, holidays = law
    if hours == '-':
        return True
    today, now = local.date(), local.hour * 60 + local.minute
    usual, holiday, narrow = [], [], []
    for window in hours.split(',') if hours != 'never' else []:
        days, clock = window.split()
        begin, end = map(minutes, clock.split('-'))
        first, _, last = days.partition('-')
        inside = begin <= now < end
        if days == 'hol':
            holiday.append(inside)
        elif days == 'eve':
            narrow += [inside] if is_holiday(holidays, today + dt.timedelta(days=1)) else []
        elif days[0].isdigit():
            narrow += [inside] if today.strftime('%m-%d') == days else []
        elif DAYS.index(first) <= local.weekday() <= DAYS.index(last or first):
            usual.append(inside)
    return any(holiday) if is_holiday(holidays, today) else any(usual) and all(narrow)


def laws_of(number):
    """Of calls that an artificial voice makes; countries without a row as if the setting had opened them."""
    country = phonenumbers.region_code_for_number(number)
    if country == 'US':
        area = str(number.national_number)[:3]
        states = [f'US-{s}' for s in AREAS[area]] if area in AREAS else [p for p in LAWS if p.startswith('US-')]
        return LAWS['US'] + [law for s in states for law in LAWS.get(s, [])]
    return LAWS.get(ALIASES.get(country, country), [('mon-fri 09-20', '-')])


def verdict(number, moment):
    at = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.timezone.utc)
    locals_ = [at.astimezone(zoneinfo.ZoneInfo(z)) for z in zones_of(number)]
    return bool(locals_) and all(is_open(law, t) for law in laws_of(number) for t in locals_)


def numbers():
    for area in range(200, 1000):
        yield phonenumbers.parse(f'+1{area}2345678')
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (T.FIXED_LINE, T.MOBILE, T.TOLL_FREE, T.VOIP, T.UAN, T.PERSONAL_NUMBER):
            example = phonenumbers.example_number_for_type(region, kind)
            if example:
                yield example


seen = {}
for n in numbers():
    if phonenumbers.is_valid_number(n) and phonenumbers.number_type(n) not in NEVER_DIALLED:
        seen.setdefault(phonenumbers.format_number(n, phonenumbers.PhoneNumberFormat.E164), n)
out = ["# Who may be called at which moment (o: yes, -: no), read from the product's tables by tests/tables/sweep.py.",
       f"# Kinds and countries by PyPI phonenumbers {phonenumbers.__version__}, zones by PyPI tzdata.", 'moments ' + ' '.join(MOMENTS)]
out += [f"{e164} {''.join('-o'[verdict(n, m)] for m in MOMENTS)}" for e164, n in sorted(seen.items())]
open(f'{ROOT}/tests/tables/sweep.txt', 'w').write('\n'.join(out) + '\n')
print(len(seen), 'numbers,', sum(l.count('o') for l in out[3:]), 'open verdicts')
