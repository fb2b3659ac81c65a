//! Looks for calls, a page at a time.

use chrono::{DateTime, Utc};

use super::{
    super::{
        PaneRow, Setting, Store, StoreError,
        pool::on,
        sql::{Kind, Value, bound, say, sql},
    },
    asked::{self, CallSearch, FAR, Place, Way},
    words::Wanted,
};
use crate::domain::{id::OwnerId, outcome::Who};

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

pub(in crate::store) fn found(rest: &str) -> sqlx::AssertSqlSafe<String> {
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
            Way::Time => asked::by_time(q, after),
            Way::Outcome => asked::by_outcome(q, after),
            Way::Tagger => asked::by_tagger(q, after),
            Way::ToTag => asked::to_tag(q, after),
            Way::Open => asked::open(q, after),
            Way::Uncommon => asked::uncommon(q, after, limit),
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
               AND ($6 = '[]' OR k.state IN (#words($6))) AND #plain(k.armed_at) >= $7 AND #plain(k.armed_at) < $8
               AND ($9 = #no OR (k.rank >= 90 AND k.answered_at IS NOT NULL AND k.outcome IS NULL))";
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
            .bind(q.to_tag)
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
            "SELECT dialled, contact_name, notes, phone_number FROM campaign_calls
                      WHERE dialled > $1 AND dialled >= $2 AND dialled < $3 AND dialled IS NOT NULL AND #plain(user_id) = $4 AND ($5 IS NULL OR campaign_id = $5)
                      ORDER BY dialled DESC LIMIT $6"
        );
        let indexed = match self.kind() {
            Kind::Sqlite => "SELECT rowid FROM call_search WHERE call_search MATCH $1 AND rowid >= $2 AND rowid < $3 ORDER BY rowid DESC LIMIT $4",
            Kind::Postgres => "SELECT dialled FROM found_calls(CAST($1 AS tsquery), $2, $3, $4)",
        };
        let end = before.min(end);
        on!(self.pool(), |db| {
            let rows: Vec<(i64, String, String, String)> =
                sqlx::query_as(newest).bind(searched).bind(first).bind(end).bind(q.owner).bind(q.campaign).bind(NEWEST).fetch_all(db).await?;
            let fits = rows.into_iter().filter(|(_, name, note, number)| wanted.fits(name, note, number));
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
