//! What somebody means who looks for a call: words and digits, and fields such as `outcome:` and `day:`. What was
//! understood is said, and what was not, while it is typed.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc};

use super::snapshot::CampaignView;
use crate::{
    domain::{call::State, id::OwnerId, outcome::Outcome, schedule, text::fold, zone::Zone},
    store::CallSearch,
};

/// Calls of a page.
pub const PAGE: usize = 100;

/// What a search may go by, beside what is typed.
pub struct Known<'a> {
    pub owner: OwnerId,
    pub zone: Zone,
    pub now: DateTime<Utc>,
    pub campaigns: &'a [CampaignView],
    /// Who has tagged calls so far.
    pub taggers: &'a [String],
}

/// A search, with what was understood and what was not.
pub struct Understood {
    pub search: CallSearch,
    pub chips: Vec<String>,
    pub wrong: Vec<String>,
    /// Something was named that there is not: nobody is found by it, and nobody is shown for it.
    pub nobody: bool,
    day: Option<NaiveDate>,
    time: Option<NaiveTime>,
}

/// A field before its colon, and what reads what is behind it.
type Field = (&'static str, fn(&mut Understood, &Known<'_>, &str));

const FIELDS: &[Field] = &[("outcome", outcome), ("campaign", campaign), ("day", on_day), ("by", by), ("state", state)];

/// What a call without a tag is called.
const TO_TAG: [&str; 2] = ["to tag", "untagged"];

/// A call at about a time: so much before and after it.
const ABOUT: Duration = Duration::minutes(15);

#[must_use]
pub fn understood(typed: &str, known: &Known<'_>) -> Understood {
    let search = CallSearch::all(known.owner, PAGE);
    let mut all = Understood { search, chips: Vec::new(), wrong: Vec::new(), nobody: false, day: None, time: None };
    let words = split(typed);
    let (mut rest, mut i) = (Vec::new(), 0);
    while let Some(word) = words.get(i) {
        i += 1;
        if let Some(date) = words.get(i).and_then(|next| day_of_two(word, next, known)) {
            all.day = Some(date);
            i += 1;
        } else if let Ok(time) = NaiveTime::parse_from_str(word, "%H:%M") {
            all.time = Some(time);
        } else if let Some((name, value)) = word.split_once(':') {
            field(&mut all, known, name, value);
        } else if matches!(fold(word).as_str(), "today" | "yesterday") {
            all.day = day(word, known);
        } else if let Some(n) = result(&mut all, known, &words[i - 1..]) {
            i += n - 1;
        } else {
            rest.push(word.as_str());
        }
    }
    all.search.text = rest.join(" ");
    all.dated(known);
    for word in rest {
        let digits = word.chars().all(|c| c.is_ascii_digit() || "+-().".contains(c));
        all.chips.push(format!("{} {word}", if digits { "digits" } else { "word" }));
    }
    all
}

/// Words that begin with an outcome or with how a call ended, as the lists write it: `not interested`, `no answer`; how
/// many words that are. A name that is the same is found in quotation marks with another word beside it.
fn result(all: &mut Understood, known: &Known<'_>, words: &[String]) -> Option<usize> {
    (1..=words.len().min(3)).rev().find(|n| {
        let said = fold(&words[..*n].join(" "));
        if TO_TAG.contains(&said.as_str()) {
            all.untagged();
            return true;
        }
        if all.search.outcome.is_none() && Outcome::ALL.iter().any(|o| o.label() == said) {
            outcome(all, known, &said);
            return true;
        }
        let ended = all.search.states.is_empty() && State::ALL.into_iter().any(|s| s.rank() >= State::Armed.rank() && s.words() == said);
        if ended {
            state(all, known, &said);
        }
        ended
    })
}

/// Words; what stands in quotation marks is one.
fn split(typed: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in typed.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|w| !w.is_empty());
    words
}

fn field(all: &mut Understood, known: &Known<'_>, name: &str, value: &str) {
    let folded = fold(name);
    let Some((_, read)) = FIELDS.iter().find(|(field, _)| !folded.is_empty() && field.starts_with(&folded)) else {
        let names: Vec<String> = FIELDS.iter().map(|(field, _)| format!("{field}:")).collect();
        all.wrong.push(format!("\"{name}:\" is no field; there are {}", names.join(" ")));
        all.nobody |= !value.trim().is_empty();
        return;
    };
    read(all, known, value.trim());
}

fn outcome(all: &mut Understood, _known: &Known<'_>, value: &str) {
    let wanted = fold(value).replace(['_', '-'], " ");
    if TO_TAG.contains(&wanted.as_str()) || wanted == "none" {
        return all.untagged();
    }
    let found = Outcome::ALL.into_iter().find(|o| !wanted.is_empty() && o.label().starts_with(&wanted));
    if let Some(outcome) = found {
        all.search.outcome = Some(outcome);
        all.chips.push(format!("outcome {}", outcome.label()));
    } else {
        let mut there: Vec<String> = Outcome::ALL.map(|o| o.label().replace(' ', "_")).into();
        there.push("untagged".to_owned());
        all.lacks("outcome", value, &there);
    }
}

/// The nearest name: as it is typed, else that begins so, else that has it.
fn campaign(all: &mut Understood, known: &Known<'_>, value: &str) {
    let wanted = fold(value);
    let names: Vec<(String, &CampaignView)> = known.campaigns.iter().map(|c| (fold(&c.row.name), c)).filter(|(name, _)| name.contains(&wanted)).collect();
    let best = names.iter().min_by_key(|(name, _)| (*name != wanted, !name.starts_with(&wanted), name.len()));
    match best.filter(|_| !wanted.is_empty()) {
        Some((_, c)) => {
            all.search.campaign = Some(c.row.id);
            let others = if names.len() > 1 { format!(" (of {} so called)", names.len()) } else { String::new() };
            all.chips.push(format!("campaign {}{others}", c.row.name));
        }
        None => all.lacks("campaign", value, &known.campaigns.iter().map(|c| c.row.name.clone()).collect::<Vec<_>>()),
    }
}

fn by(all: &mut Understood, known: &Known<'_>, value: &str) {
    let wanted = fold(value);
    let found = known.taggers.iter().filter(|t| fold(t).starts_with(&wanted)).min_by_key(|t| t.len());
    match found.filter(|_| !wanted.is_empty()) {
        Some(who) => {
            all.search.tagged_by = Some(who.clone());
            all.chips.push(format!("tagged by {who}"));
        }
        None => all.lacks("by", value, known.taggers),
    }
}

fn state(all: &mut Understood, _known: &Known<'_>, value: &str) {
    let wanted = fold(value).replace(['_', '-'], " ");
    let named = |s: &State| [s.words(), s.wire(), s.as_str()].iter().any(|w| w.replace('_', " ").starts_with(&wanted));
    let dialled = State::ALL.into_iter().filter(|s| s.rank() >= State::Armed.rank());
    let states: Vec<State> = dialled.clone().filter(|s| if wanted == "live" { s.is_open() } else { named(s) }).collect();
    if states.is_empty() || wanted.is_empty() {
        let mut names: Vec<String> = Vec::new();
        for name in dialled.map(|s| s.words().replace(' ', "_")) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        return all.lacks("state", value, &names);
    }
    all.search.states = states;
    all.chips.push(format!("state {wanted}"));
}

fn on_day(all: &mut Understood, known: &Known<'_>, value: &str) {
    match day(value, known) {
        Some(date) => all.day = Some(date),
        None => all.lacks("day", value, &["today", "yesterday", "mon", "14oct", "2026-10-14"].map(str::to_owned)),
    }
}

impl Understood {
    fn untagged(&mut self) {
        self.search.to_tag = true;
        self.chips.push("to tag".to_owned());
    }

    /// Says that nothing is called so, and what there is. A field that is only begun names nothing yet.
    fn lacks(&mut self, field: &str, value: &str, there: &[String]) {
        self.nobody |= !value.is_empty();
        let more = if there.len() > 8 { ", …" } else { "" };
        let some = there.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
        let which = if there.is_empty() { "there is none yet".to_owned() } else { format!("there is {some}{more}") };
        let what = if field == "by" { format!("nobody called \"{value}\" has tagged a call") } else { format!("no {field} is \"{value}\"") };
        self.wrong.push(if value.is_empty() { format!("{field}: which? {which}") } else { format!("{what}; {which}") });
    }

    /// The days and hours that are asked for, on the operator's clock.
    fn dated(&mut self, known: &Known<'_>) {
        let today = schedule::local_day(known.zone, known.now);
        let (from, until, words) = match (self.day, self.time) {
            (None, None) => return,
            (Some(day), None) => {
                let next = day.succ_opt().unwrap_or(day);
                (known.zone.instant(day.and_time(NaiveTime::MIN)), known.zone.instant(next.and_time(NaiveTime::MIN)), day_words(day, today))
            }
            (day, Some(time)) => {
                let day = day.unwrap_or(today);
                let at = known.zone.instant(day.and_time(time));
                (at - ABOUT, at + ABOUT, format!("{} about {}", day_words(day, today), time.format("%H:%M")))
            }
        };
        (self.search.from, self.search.until) = (Some(from), Some(until));
        self.chips.push(words);
    }
}

fn day_words(day: NaiveDate, today: NaiveDate) -> String {
    match (today - day).num_days() {
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        _ if day.year() == today.year() => day.format("%a %e %b").to_string().replace("  ", " "),
        _ => day.format("%e %b %Y").to_string().trim().to_owned(),
    }
}

const MONTHS: [&str; 12] = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// `today`, `yesterday`, `mon` (the last one), `14oct`, `oct-14`, `2026-10-14`.
fn day(text: &str, known: &Known<'_>) -> Option<NaiveDate> {
    let (text, today) = (fold(text.trim()), schedule::local_day(known.zone, known.now));
    match text.as_str() {
        "today" => return Some(today),
        "yesterday" => return today.pred_opt(),
        _ => {}
    }
    if let Some(wanted) = named(&DAYS, &text) {
        let back = (7 + today.weekday().num_days_from_monday() - wanted) % 7;
        return today.checked_sub_signed(Duration::days(i64::from(back)));
    }
    if let Ok(date) = NaiveDate::parse_from_str(&text, "%Y-%m-%d") {
        return Some(date);
    }
    let is_part = |c: &char| c.is_alphanumeric();
    let (digits, letters): (String, String) = text.chars().filter(is_part).partition(char::is_ascii_digit);
    dated(&digits, &letters, today)
}

/// `14 oct` and `oct 14`, typed as two words.
fn day_of_two(a: &str, b: &str, known: &Known<'_>) -> Option<NaiveDate> {
    let today = schedule::local_day(known.zone, known.now);
    dated(a, &fold(b), today).or_else(|| dated(b, &fold(a), today))
}

/// The last such day that has been.
fn dated(day: &str, month: &str, today: NaiveDate) -> Option<NaiveDate> {
    if day.is_empty() || day.len() > 2 {
        return None;
    }
    let (day, month) = (day.parse().ok()?, named(&MONTHS, month)? + 1);
    let this = NaiveDate::from_ymd_opt(today.year(), month, day).filter(|d| *d <= today);
    this.or_else(|| NaiveDate::from_ymd_opt(today.year() - 1, month, day))
}

/// The place of a name of which at least three letters are given.
fn named(names: &[&str], text: &str) -> Option<u32> {
    let at = names.iter().position(|n| text.len() >= 3 && n.starts_with(text))?;
    u32::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &str) -> (Vec<String>, Vec<String>, CallSearch) {
        let taggers = ["ana".to_owned(), "tom".to_owned()];
        let (owner, now) = (OwnerId(uuid::Uuid::nil()), "2026-11-18T15:42:07Z".parse().unwrap_or_default());
        let known = Known { owner, zone: Zone::utc(), now, campaigns: &[], taggers: &taggers };
        let u = understood(typed, &known);
        (u.chips, u.wrong, u.search)
    }

    fn chips(typed: &str) -> Vec<String> {
        let (chips, wrong, _) = read(typed);
        assert!(wrong.is_empty(), "{typed}: {wrong:?}");
        chips
    }

    #[test]
    fn words_digits_and_fields_are_told_apart() {
        assert_eq!(chips("roe 0142"), ["word roe", "digits 0142"]);
        assert_eq!(chips("outcome:int by:to"), ["outcome interested", "tagged by tom"]);
        assert_eq!(chips("outcome:do_not state:busy"), ["outcome do not call", "state busy"]);
        assert_eq!(chips("roe yesterday"), ["yesterday", "word roe"]);
        assert_eq!(read("o'brien \"anna maria\"").2.text, "o'brien anna maria");
    }

    #[test]
    fn days_are_the_last_that_were() {
        for (typed, chip) in [
            ("today", "today"),
            ("day:mon", "Mon 16 Nov"),
            ("day:wed", "today"),
            ("14 oct", "Wed 14 Oct"),
            ("oct 14", "Wed 14 Oct"),
            ("day:14oct", "Wed 14 Oct"),
            ("day:24-dec", "24 Dec 2025"),
            ("day:2025-02-01", "1 Feb 2025"),
            ("10:30", "today about 10:30"),
            ("10:30 yesterday", "yesterday about 10:30"),
        ] {
            assert_eq!(chips(typed), [chip], "{typed}");
        }
        let (_, _, search) = read("17 nov 10:30");
        let at = |t: &str| t.parse().ok();
        assert_eq!((search.from, search.until), (at("2026-11-17T10:15:00Z"), at("2026-11-17T10:45:00Z")));
        // Four digits are the end of a number, whatever stands before them.
        assert_eq!(chips("may 0142"), ["word may", "digits 0142"]);
    }

    #[test]
    fn what_is_not_understood_is_said_with_what_there_is() {
        for (typed, says) in [
            ("colour:red", "\"colour:\" is no field; there are outcome: campaign: day: by: state:"),
            ("by:zoe", "nobody called \"zoe\" has tagged a call; there is ana, tom"),
            ("by:", "by: which? there is ana, tom"),
            ("day:31feb", "no day is \"31feb\"; there is today, yesterday, mon, 14oct, 2026-10-14"),
            ("campaign:x", "no campaign is \"x\"; there is none yet"),
        ] {
            assert_eq!(read(typed).1, [says], "{typed}");
        }
        assert!(read("outcome:").1[0].contains("which? there is interested, not_interested"));
        let state = read("state:invalid").1.remove(0);
        assert_eq!(state.matches("dialling").count(), 1, "{state}");
        assert_eq!(read("state:live").2.states.len(), 5);
    }
}
