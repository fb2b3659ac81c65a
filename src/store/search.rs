//! Every call ever, found while typing: a search goes along the index that narrows most, newest first, and looks at
//! a bounded number of calls; what else is asked for is compared on those. Words and digits go by an index that is
//! filled behind the dials; the newest calls, which it has not yet, are compared one by one.

use chrono::{DateTime, Utc};
use unicode_normalization::UnicodeNormalization;

use super::{
    PaneRow, Setting, Store, StoreError, Tx,
    pool::{on, on_tx},
    sql::{Kind, Said, Value, bound, say, sql},
};
use crate::domain::{
    call::State,
    id::{CampaignId, OwnerId},
    outcome::{Outcome, Who},
};

/// Which calls are wanted. What is empty asks for nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct CallSearch {
    pub owner: OwnerId,
    /// As it is typed: beginnings of words of the name, last digits of the number.
    pub text: String,
    pub campaign: Option<CampaignId>,
    pub outcome: Option<Outcome>,
    /// An operator's name.
    pub tagged_by: Option<String>,
    pub states: Vec<State>,
    /// Dialled from then on, and before then.
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Where the page before ended.
    pub after: Option<Place>,
    pub limit: usize,
}

impl CallSearch {
    /// All calls of an owner, newest first.
    #[must_use]
    pub fn all(owner: OwnerId, limit: usize) -> Self {
        Self { owner, text: String::new(), campaign: None, outcome: None, tagged_by: None, states: Vec::new(), from: None, until: None, after: None, limit }
    }

    /// Whether nothing but the way it goes along narrows it.
    fn compares(&self, way: Way) -> bool {
        let dated = (self.from.is_some() || self.until.is_some()) && way != Way::Time;
        let campaign = self.campaign.is_some() && !matches!(way, Way::Words | Way::Outcome);
        let outcome = self.outcome.is_some() && way != Way::Outcome;
        let tagger = self.tagged_by.is_some() && !matches!(way, Way::Outcome | Way::Tagger);
        let state = !self.states.is_empty() && !matches!(way, Way::Open | Way::Uncommon);
        dated || campaign || outcome || tagger || state
    }

    fn way(&self) -> Way {
        let states = &self.states;
        if !Wanted::of(&self.text).is_empty() {
            Way::Words
        } else if self.outcome.is_some() {
            Way::Outcome
        } else if self.tagged_by.is_some() {
            Way::Tagger
        } else if !states.is_empty() && states.iter().all(|s| s.is_open()) {
            Way::Open
        } else if !states.is_empty() && states.iter().all(|s| is_uncommon(*s)) {
            Way::Uncommon
        } else if self.campaign.is_some() {
            Way::Words
        } else {
            Way::Time
        }
    }
}

/// As index `calls_uncommon` has it.
fn is_uncommon(state: State) -> bool {
    state.is_ended() && !matches!(state, State::Completed | State::NoAnswer)
}

/// Where a page ended: the moment by which its search is ordered, and the dial's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Place {
    pub at: DateTime<Utc>,
    pub dialled: i64,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct FoundCall {
    /// Its number among all dials of the installation.
    pub dialled: i64,
    #[sqlx(flatten)]
    pub call: PaneRow,
    pub country: String,
    pub zones: String,
    pub outcome_who: Option<Who>,
    pub outcome_by: Option<String>,
    pub outcome_at: Option<DateTime<Utc>>,
    /// Answered, and no agent came.
    pub abandoned: bool,
    /// When the contact of a callback is called, while that is still to come.
    pub promised: Option<DateTime<Utc>>,
}

/// A page of what was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    pub rows: Vec<FoundCall>,
    /// Where the next page goes on; `None` at the end. A page may be short, even empty, and have one: so many calls
    /// are looked at and no more.
    pub next: Option<Place>,
    /// Older calls that words and digits do not find yet: shortly after an upgrade.
    pub unsearched: i64,
}

/// Which index a search goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Words,
    Outcome,
    Tagger,
    Open,
    Uncommon,
    Time,
}

/// Calls looked at for one page.
const LOOK: usize = 1000;
/// Of them at once.
const CHUNK: usize = 200;
/// The newest calls that are compared one by one where the index has them not yet.
const NEWEST: i64 = 1000;

const FOUND: &str = "SELECT k.dialled, k.country, k.zones, k.outcome_who, k.outcome_by, k.outcome_at, k.abandoned,
        k.id, k.campaign_id, c.name AS campaign_name, k.phone_number, k.contact_name, k.attempt, k.state, k.armed_at,
        k.ringing_at, k.answered_at, k.completed_at, k.call_duration, k.sip_code, k.reason, k.outcome, k.suggestion, k.suggestion_confidence,
        k.hangup_requested_at, k.room_name, k.notes,
        CASE WHEN k.outcome = 'callback' THEN (SELECT min(p.dialable_at) FROM campaign_calls p WHERE p.campaign_id = k.campaign_id
            AND p.contact_id = k.contact_id AND p.priority = 1 AND p.armed_at IS NULL AND p.state IN ('pending', 'claimed')) END AS promised
     FROM calls k JOIN campaigns c ON c.id = k.campaign_id";

pub(super) fn found(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{FOUND} {rest}"))
}

impl Store {
    /// One page of a search.
    pub async fn find_calls(&self, q: &CallSearch) -> Result<Found, StoreError> {
        let way = q.way();
        let (limit, compares) = (q.limit.clamp(1, 500), q.compares(way));
        let searched = self.searched_to().await?;
        let (mut after, mut looked) = (q.after, 0);
        let mut out = Found { unsearched: self.unsearched(searched).await?, ..Found::default() };
        loop {
            // Where nearly all fit, the first look finds the page.
            let want = if compares && looked > 0 { CHUNK } else { limit + 1 - out.rows.len() };
            let places = self.places(q, way, after, searched, want).await?;
            let more = places.len() == want;
            looked += places.len();
            let rows = self.compared(q, &places).await?;
            for place in places {
                if let Some(row) = rows.iter().find(|r| r.dialled == place.dialled) {
                    if out.rows.len() == limit {
                        out.next = after;
                        return Ok(out);
                    }
                    out.rows.push(row.clone());
                }
                after = Some(place);
            }
            if !more || looked >= LOOK {
                out.next = after.filter(|_| more);
                return Ok(out);
            }
        }
    }

    /// The next calls along the way, newest first.
    async fn places(&self, q: &CallSearch, way: Way, after: Option<Place>, searched: i64, limit: usize) -> Result<Vec<Place>, StoreError> {
        let after = after.unwrap_or(Place { at: FAR, dialled: i64::MAX });
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut sql = match way {
            Way::Words => return self.worded(q, after.dialled, searched, limit).await,
            Way::Time => by_time(q, after),
            Way::Outcome => by_outcome(q, after),
            Way::Tagger => by_tagger(q, after),
            Way::Open => open(q, after),
            Way::Uncommon => uncommon(q, after, limit),
        };
        sql.push(" LIMIT ").bind(Value::Int(limit));
        let text = sql.text(self.kind());
        Ok(on!(self.pool(), |db| bound!(sqlx::query_as(text), sql).fetch_all(db).await?))
    }

    /// Calls by their numbers, with all that is asked for compared.
    async fn compared(&self, q: &CallSearch, places: &[Place]) -> Result<Vec<FoundCall>, StoreError> {
        let numbers: Vec<i64> = places.iter().map(|p| p.dialled).collect();
        // `#plain`: by their numbers and by no other index.
        let rest = "WHERE k.dialled IN (#numbers($1)) AND k.dialled IS NOT NULL AND #plain(k.user_id) = $2
               AND ($3 IS NULL OR k.campaign_id = $3) AND ($4 IS NULL OR k.outcome = $4) AND ($5 IS NULL OR (k.outcome_by = $5 AND k.outcome_who = 'operator'))
               AND ($6 = '[]' OR k.state IN (#words($6))) AND #plain(k.armed_at) >= $7 AND #plain(k.armed_at) < $8";
        let sql = say(self.kind(), &format!("{FOUND} {rest}"));
        Ok(on!(self.pool(), |db| sqlx::query_as(sql)
            .bind(serde_json::json!(numbers).to_string())
            .bind(q.owner)
            .bind(q.campaign)
            .bind(q.outcome)
            .bind(&q.tagged_by)
            .bind(serde_json::json!(q.states).to_string())
            .bind(q.from.unwrap_or(DateTime::UNIX_EPOCH))
            .bind(q.until.unwrap_or(FAR))
            .fetch_all(db)
            .await?))
    }

    /// By words, digits, owner and campaign: the newest ones compared one by one, the others by their index.
    async fn worded(&self, q: &CallSearch, before: i64, searched: i64, limit: i64) -> Result<Vec<Place>, StoreError> {
        let wanted = Wanted::of(&q.text);
        let (first, end) = self.numbers_of_days(q).await?;
        // `#plain`: by their numbers, of which these are the last, and not through all dials of an owner.
        let newest = sql!(
            self.kind(),
            "SELECT dialled, contact_name, phone_number FROM campaign_calls
                      WHERE dialled > $1 AND dialled >= $2 AND dialled < $3 AND dialled IS NOT NULL AND #plain(user_id) = $4 AND ($5 IS NULL OR campaign_id = $5)
                      ORDER BY dialled DESC LIMIT $6"
        );
        let indexed = match self.kind() {
            Kind::Sqlite => "SELECT rowid FROM call_search WHERE call_search MATCH $1 AND rowid >= $2 AND rowid < $3 ORDER BY rowid DESC LIMIT $4",
            Kind::Postgres => "SELECT dialled FROM found_calls(CAST($1 AS tsquery), $2, $3, $4)",
        };
        let end = before.min(end);
        on!(self.pool(), |db| {
            let rows: Vec<(i64, String, String)> =
                sqlx::query_as(newest).bind(searched).bind(first).bind(end).bind(q.owner).bind(q.campaign).bind(NEWEST).fetch_all(db).await?;
            let fits = rows.into_iter().filter(|(_, name, number)| wanted.fits(name, number));
            let mut numbers: Vec<i64> = fits.map(|r| r.0).take(usize::try_from(limit).unwrap_or(0)).collect();
            let left = limit - i64::try_from(numbers.len()).unwrap_or(limit);
            if left > 0 {
                let matched = wanted.matched(self.kind(), q.owner, q.campaign);
                numbers.extend(sqlx::query_scalar::<_, i64>(indexed).bind(matched).bind(first).bind(end).bind(left).fetch_all(db).await?);
            }
            Ok(numbers.into_iter().map(|dialled| Place { at: FAR, dialled }).collect())
        })
    }

    /// The first number of the days that are asked for, and the first after them.
    async fn numbers_of_days(&self, q: &CallSearch) -> Result<(i64, i64), StoreError> {
        let sql = "SELECT dialled FROM campaign_calls WHERE user_id = $1 AND dialled IS NOT NULL AND armed_at >= $2 ORDER BY armed_at LIMIT 1";
        let at = async |moment: Option<DateTime<Utc>>, none: i64| {
            let Some(moment) = moment else { return Ok::<_, StoreError>(none) };
            let number: Option<i64> = on!(self.pool(), |db| sqlx::query_scalar(sql).bind(q.owner).bind(moment).fetch_optional(db).await?);
            Ok(number.unwrap_or(i64::MAX))
        };
        Ok((at(q.from, 0).await?, at(q.until, i64::MAX).await?))
    }

    /// The number of the last dial that the index of words has.
    async fn searched_to(&self) -> Result<i64, StoreError> {
        Ok(self.setting(Setting::SearchedTo).await?.and_then(|n| n.parse().ok()).unwrap_or(0))
    }

    /// Dials that words do not find: those that are neither in the index nor compared one by one.
    async fn unsearched(&self, searched: i64) -> Result<i64, StoreError> {
        let sql = "SELECT COALESCE(max(dialled), 0) FROM campaign_calls WHERE dialled IS NOT NULL";
        let last: i64 = on!(self.pool(), |db| sqlx::query_scalar(sql).fetch_one(db).await?);
        Ok((last - searched - NEWEST).max(0))
    }

    /// Who has tagged calls of an owner, by name: one seek each.
    pub async fn taggers(&self, owner: OwnerId) -> Result<Vec<String>, StoreError> {
        let sql = "WITH RECURSIVE t (who) AS (
                       SELECT min(outcome_by) FROM campaign_calls WHERE user_id = $1 AND outcome_who = 'operator' AND dialled IS NOT NULL
                       UNION ALL
                       SELECT (SELECT min(k.outcome_by) FROM campaign_calls k
                               WHERE k.user_id = $1 AND k.outcome_who = 'operator' AND k.dialled IS NOT NULL AND k.outcome_by > t.who)
                       FROM t WHERE t.who IS NOT NULL)
                   SELECT who FROM t WHERE who <> '' LIMIT 1000";
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(owner).fetch_all(db).await?))
    }
}

/// Later than any call; a year of five letters would sort before those of four.
const FAR: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(far) => far,
    None => DateTime::<Utc>::MAX_UTC,
};

/// Calls of an owner that were made, with the moment that orders them.
fn dials(owner: OwnerId, at: &'static str, which: &'static str) -> Said {
    let mut sql = Said::new("SELECT ");
    sql.push(at).push(" AS at, dialled FROM campaign_calls WHERE dialled IS NOT NULL AND user_id = ").bind(Value::Id(owner.0)).push(which);
    sql
}

fn by_time(q: &CallSearch, after: Place) -> Said {
    let mut sql = dials(q.owner, "armed_at", " AND (armed_at, dialled) < (");
    sql.bind(Value::At(after.at.min(q.until.unwrap_or(FAR)))).push(", ").bind(Value::Int(after.dialled)).push(")");
    sql.push(" AND armed_at >= ").bind(Value::At(q.from.unwrap_or(DateTime::UNIX_EPOCH)));
    sql.push(" ORDER BY armed_at DESC, dialled DESC");
    sql
}

fn by_outcome(q: &CallSearch, after: Place) -> Said {
    let mut sql = dials(q.owner, "outcome_at", " AND outcome IS NOT NULL AND outcome = ");
    sql.bind(Value::Text(q.outcome.map_or_else(String::new, |o| o.as_str().to_owned())));
    sql.push(" AND (outcome_at, dialled) < (").bind(Value::At(after.at)).push(", ").bind(Value::Int(after.dialled)).push(")");
    if let Some(who) = &q.tagged_by {
        sql.push(" AND outcome_by = ").bind(Value::Text(who.clone()));
    }
    if let Some(campaign) = q.campaign {
        sql.push(" AND campaign_id = ").bind(Value::Id(campaign.0));
    }
    sql.push(" ORDER BY outcome_at DESC, dialled DESC");
    sql
}

fn by_tagger(q: &CallSearch, after: Place) -> Said {
    let mut sql = dials(q.owner, "outcome_at", " AND outcome_who = 'operator' AND outcome_by = ");
    sql.bind(Value::Text(q.tagged_by.clone().unwrap_or_default()));
    sql.push(" AND (outcome_at, dialled) < (").bind(Value::At(after.at)).push(", ").bind(Value::Int(after.dialled)).push(")");
    sql.push(" ORDER BY outcome_at DESC, dialled DESC");
    sql
}

/// Those on the line: a few, of every owner.
fn open(q: &CallSearch, after: Place) -> Said {
    // `#plain`: by the index of those on the line, not through all dials of an owner.
    let mut sql = Said::new("SELECT armed_at AS at, dialled FROM campaign_calls WHERE rank >= 5 AND rank < 90 AND dialled IS NOT NULL AND #plain(user_id) = ");
    sql.bind(Value::Id(q.owner.0)).push(" AND dialled < ").bind(Value::Int(after.dialled));
    sql.push(" AND state IN (#words(").bind(Value::Text(serde_json::json!(q.states).to_string())).push(")) ORDER BY dialled DESC");
    sql
}

/// The newest of each state, and of those the newest.
fn uncommon(q: &CallSearch, after: Place, limit: i64) -> Said {
    let mut sql = Said::new("SELECT at, dialled FROM (");
    for (i, state) in q.states.iter().enumerate() {
        sql.push(if i == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
        sql.push("SELECT armed_at AS at, dialled FROM campaign_calls WHERE dialled IS NOT NULL AND rank >= 90 AND state NOT IN ('completed', 'no_answer')");
        sql.push(" AND user_id = ").bind(Value::Id(q.owner.0)).push(" AND state = ").bind(Value::Text(state.as_str().to_owned()));
        sql.push(" AND dialled < ").bind(Value::Int(after.dialled)).push(" ORDER BY dialled DESC LIMIT ").bind(Value::Int(limit));
        sql.push(format!(") AS s{i}"));
    }
    sql.push(") AS newest ORDER BY dialled DESC");
    sql
}

/// What is typed: the beginnings of words, and the ends of numbers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    words: Vec<String>,
    /// The digits of each backwards; alone they may begin a word of a name as well.
    ends: Vec<String>,
}

impl Wanted {
    fn of(text: &str) -> Self {
        // A number as it is written, with its spaces and brackets, is one.
        let number = text.chars().any(|c| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || " +-().".contains(c));
        if number {
            return Self { words: Vec::new(), ends: vec![backwards(text)] };
        }
        let (ends, words): (Vec<String>, _) = words(text).partition(|w| w.bytes().all(|b| b.is_ascii_digit()));
        Self { words, ends: ends.iter().map(|d| backwards(d)).collect() }
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.ends.is_empty()
    }

    /// As the index compares, for calls that it has not yet.
    fn fits(&self, name: &str, number: &str) -> bool {
        let (names, tail): (Vec<String>, String) = (words(name).collect(), backwards(number));
        let begins = |word: &String| names.iter().any(|n| n.starts_with(word.as_str()));
        self.words.iter().all(begins) && self.ends.iter().all(|end| tail.starts_with(end.as_str()) || self.words.is_empty() && begins(&forwards(end)))
    }

    /// The question to the index. Only letters and digits stand in it, and what is no ASCII.
    fn matched(&self, kind: Kind, owner: OwnerId, campaign: Option<CampaignId>) -> String {
        let column = |column: &str, begins: &str| match kind {
            Kind::Sqlite => format!("{column} : \"{begins}\" *"),
            Kind::Postgres => format!("'{}{begins}':*", &column[..1]),
        };
        let scope = |scope: String| if kind == Kind::Sqlite { format!("scope : {scope}") } else { format!("'{scope}'") };
        let (and, or) = if kind == Kind::Sqlite { (" AND ", " OR ") } else { (" & ", " | ") };
        let mut all = vec![scope(format!("o{}", owner.hex().to_lowercase()))];
        all.extend(campaign.map(|c| scope(format!("c{}", c.hex().to_lowercase()))));
        all.extend(self.words.iter().map(|w| column("name", w)));
        all.extend(self.ends.iter().map(|e| {
            let tail = column("tail", e);
            if self.words.is_empty() { format!("({tail}{or}{})", column("name", &forwards(e))) } else { tail }
        }));
        all.join(and)
    }
}

fn forwards(backwards: &str) -> String {
    backwards.chars().rev().collect()
}

/// The digits of a number, the last first.
fn backwards(number: &str) -> String {
    number.chars().rev().filter(char::is_ascii_digit).collect()
}

/// The words of a name in small letters, accents as they are. The index parts words at ASCII that is no letter or
/// digit, and nowhere else: so must this.
fn words(text: &str) -> impl Iterator<Item = String> {
    let plain: String = text.nfc().flat_map(char::to_lowercase).map(|c| if is_part(c) { c } else { ' ' }).collect();
    plain.split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn is_part(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { !c.is_whitespace() && !matches!(c, '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}') }
}

/// A dial as the index of words takes it.
#[derive(Debug, sqlx::FromRow)]
pub struct Searchable {
    dialled: i64,
    user_id: OwnerId,
    campaign_id: CampaignId,
    contact_name: String,
    phone_number: String,
}

impl Tx {
    /// Lets words find the next dials, at most `limit`; how many those were.
    pub async fn index_calls(&mut self, limit: i64) -> Result<i64, StoreError> {
        let from = self.setting(Setting::SearchedTo).await?.and_then(|n| n.parse().ok()).unwrap_or(0_i64);
        let next = "SELECT dialled, user_id, campaign_id, contact_name, phone_number FROM campaign_calls
                    WHERE dialled > $1 AND dialled IS NOT NULL ORDER BY dialled LIMIT $2";
        let rows: Vec<Searchable> = on_tx!(self, |db| sqlx::query_as(next).bind(from).bind(limit).fetch_all(&mut *db).await?);
        let Some(last) = rows.last() else { return Ok(0) };
        let to = last.dialled;
        let sql = match self.kind() {
            Kind::Sqlite => {
                "INSERT INTO call_search (rowid, name, tail, scope) SELECT v ->> 0, v ->> 1, v ->> 2, v ->> 3 FROM (SELECT value AS v FROM json_each($1))"
            }
            Kind::Postgres => {
                "INSERT INTO call_search (dialled, user_id, words)
                 SELECT (v ->> 0)::bigint, (v ->> 4)::uuid,
                        array_to_tsvector(array_remove(ARRAY(SELECT 'n' || w FROM unnest(string_to_array(v ->> 1, ' ')) AS w WHERE w <> '')
                            || ('t' || (v ->> 2)) || string_to_array(v ->> 3, ' '), ''))
                 FROM jsonb_array_elements($1::jsonb) AS j (v) ON CONFLICT (dialled) DO NOTHING"
            }
        };
        let json: Vec<_> = rows
            .iter()
            .map(|r| {
                let name: Vec<String> = words(&r.contact_name).collect();
                (
                    r.dialled,
                    name.join(" "),
                    backwards(&r.phone_number),
                    format!("o{} c{}", r.user_id.hex(), r.campaign_id.hex()).to_lowercase(),
                    r.user_id.hex(),
                )
            })
            .collect();
        on_tx!(self, |db| sqlx::query(sql).bind(serde_json::json!(json).to_string()).execute(&mut *db).await?.rows_affected());
        self.put_setting(Setting::SearchedTo, &to.to_string()).await?;
        Ok(i64::try_from(rows.len()).unwrap_or(limit))
    }

    /// Empties the index of words: it is filled again.
    pub async fn forget_search(&mut self) -> Result<(), StoreError> {
        let sql = match self.kind() {
            Kind::Sqlite => "INSERT INTO call_search (call_search) VALUES ('delete-all')",
            Kind::Postgres => "DELETE FROM call_search",
        };
        on_tx!(self, |db| sqlx::query(sql).execute(&mut *db).await?.rows_affected());
        self.put_setting(Setting::SearchedTo, "0").await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_and_numbers_end_with_what_is_typed() {
        let fits = |text: &str, name: &str, number: &str| Wanted::of(text).fits(name, number);
        assert!(fits("ro", "Jane Roe", "+12025550142") && fits("JANE 0142", "Jane Roe", "+12025550142"));
        assert!(!fits("oe", "Jane Roe", "+12025550142"), "the beginning of a word");
        assert!(fits("(202) 555-0142", "", "+12025550142") && fits("+1 202 555 0142", "", "+12025550142"));
        assert!(!fits("0143", "Jane Roe", "+12025550142") && fits("12", "Contact 1239", "+12025550142"));
        assert!(fits("brien", "Sean O'Brien", "") && fits("ÉLO", "Élodie", "") && fits("elo\u{301}", "Eló", "") && !fits("elo", "Élodie", ""));
    }

    #[test]
    fn what_is_typed_never_becomes_a_word_of_the_index() {
        let wanted = Wanted::of("a\" OR name:* NEAR(x) -b { ^c");
        assert_eq!(wanted.words, ["a", "or", "name", "near", "x", "b", "c"]);
        assert!(Wanted::of(" \" * ( ").is_empty());
    }
}
