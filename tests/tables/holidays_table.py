"""Writes holidays.txt: public holidays of the calendars in src/domain/legal/rules.txt, by the PyPI package
`holidays` (MIT licence). Run it again for other years: python3 holidays_table.py > holidays.txt"""

import holidays

YEARS = range(2026, 2034)
CALENDARS = {"us": ("US", None), "fr": ("FR", None), "es": ("ES", None), "it": ("IT", None), "nl": ("NL", None), "no": ("NO", None),
             "au": ("AU", None), "za": ("ZA", None), "co": ("CO", None), "br": ("BR", None)}

print(f"# Public holidays by the PyPI package holidays {holidays.__version__} (MIT licence), written by holidays_table.py: calendar, days.")
for calendar, (country, part) in CALENDARS.items():
    for year in YEARS:
        days = holidays.country_holidays(country, subdiv=part, years=year)
        # Sundays that are no working day are listed by some of its countries as holidays.
        print(calendar, *sorted(d.isoformat() for d in days if d.year == year))
