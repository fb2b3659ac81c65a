//! Where the people of a campaign stand, counted by person.

use chrono::{DateTime, Utc};

use super::{
    CampaignRow, ContactTable, PlaceCount, Store, StoreError,
    dnc::listed,
    pool::on,
    sources::tables,
    sql::{Kind, say},
};
use crate::domain::{
    campaign::Status,
    id::{OwnerId, SourceId},
    people::People,
};

/// How many people stand where.
#[derive(sqlx::FromRow)]
struct Part {
    part: String,
    n: i64,
}

// What a new start would queue again is written here and in `settled_contacts` alike.
const CALLED: &str = "SELECT contact_id,
        count(*) FILTER (WHERE rank = 0) AS waits,
        count(*) FILTER (WHERE rank > 0 AND rank < 90) AS open,
        count(*) FILTER (WHERE armed_at IS NOT NULL AND state NOT IN ('unsent', 'refused', 'not_placed')) AS rang,
        count(*) FILTER (WHERE charged = #yes AND armed_at IS NOT NULL) AS attempts,
        count(*) FILTER (WHERE answered_at IS NOT NULL OR state IN ('unresolved', 'wrong_number', 'rejected') OR outcome IN ('do_not_call', 'wrong_number')
                            OR (state IN ('failed', 'canceled') AND charged = #yes AND armed_at IS NOT NULL)) AS settled
    FROM campaign_calls WHERE campaign_id = $1 AND contact_id IS NOT NULL GROUP BY contact_id";

const PARTS: &str = "CASE
        WHEN open > 0 THEN 'on_the_line'
        WHEN waits > 0 THEN CASE WHEN rang > 0 THEN 'again' ELSE 'waiting' END
        WHEN silent = 1 THEN CASE WHEN rang > 0 THEN 'called' ELSE 'do_not_call' END
        WHEN settled = 0 AND attempts < $4 AND position > $5 THEN CASE WHEN $6 = 1 THEN 'stopped' WHEN rang > 0 THEN 'again' ELSE 'waiting' END
        WHEN rang = 0 THEN 'turned_away'
        WHEN settled = 0 AND attempts >= $4 THEN 'not_reached'
        ELSE 'called' END";

const EACH: &str = "c.position, COALESCE(p.waits, 0) AS waits, COALESCE(p.open, 0) AS open, COALESCE(p.rang, 0) AS rang, COALESCE(p.attempts, 0) AS attempts,
        COALESCE(p.settled, 0) AS settled";

/// In a list of so many or fewer each is looked up on the do-not-call list; PostgreSQL would read that list whole, which
/// may be the national one. In a longer one it does so by right.
const FEW: i64 = 50_000;

impl Store {
    /// How many a list has, by its index alone.
    pub async fn contacts_in(&self, table: ContactTable, list: SourceId) -> Result<i64, StoreError> {
        let (contacts, key, _) = tables(table);
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {contacts} WHERE {key} = $1"));
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(list).fetch_one(db).await?))
    }

    /// Contacts of a list behind a position that are on nobody's do-not-call list, by zones and the
    /// head of their numbers: one number of each, its country, how many.
    pub async fn unqueued_contacts(&self, owner: OwnerId, table: ContactTable, list: SourceId, after: i64) -> Result<Vec<PlaceCount>, StoreError> {
        let (contacts, key, _) = tables(table);
        let few = self.kind() == Kind::Postgres && self.contacts_in(table, list).await? <= FEW;
        // A subselect that is a value is asked for each row, by its index.
        let listed = if few { concat!("(SELECT ", listed!("$1", "c.phone_number"), ")") } else { listed!("$1", "c.phone_number") };
        let sql = say(
            self.kind(),
            &format!(
                "SELECT zones, said, min(phone_number) AS number, min(country) AS country, count(*) AS n FROM {contacts} c
                 WHERE c.{key} = $2 AND position > $3 AND do_not_call = #no AND NOT {listed} GROUP BY zones, said, substr(phone_number, 1, 5)"
            ),
        );
        Ok(on!(self.pool(), |db| sqlx::query_as(sql).bind(owner).bind(list).bind(after).fetch_all(db).await?))
    }

    /// Of a list's people, who is flagged in it or on a do-not-call list.
    pub async fn silent_in_list(&self, owner: OwnerId, table: ContactTable, list: SourceId) -> Result<i64, StoreError> {
        let (contacts, key, _) = tables(table);
        let sql = say(
            self.kind(),
            &format!("SELECT count(*) FROM {contacts} c WHERE c.{key} = $2 AND (c.do_not_call = #yes OR {})", listed!("$1", "c.phone_number")),
        );
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(owner).bind(list).fetch_one(db).await?))
    }

    /// Of a list's people, who was dialled since a moment, by whichever campaign of the owner: one look into the calls'
    /// numbers each.
    pub async fn dialled_in_list(&self, owner: OwnerId, table: ContactTable, list: SourceId, since: DateTime<Utc>) -> Result<i64, StoreError> {
        let (contacts, key, _) = tables(table);
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT count(*) FROM {contacts} c WHERE c.{key} = $2
               AND EXISTS (SELECT 1 FROM campaign_calls k WHERE k.phone_number = c.phone_number AND k.armed_at >= $3 AND k.user_id = $1
                             AND k.state NOT IN ('unsent', 'refused', 'not_placed'))"
        ));
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(owner).bind(list).bind(since).fetch_one(db).await?))
    }

    /// Of a list's people, who is in another one too, by their numbers.
    pub async fn in_both_lists(&self, (table, list): (ContactTable, SourceId), (other_table, other): (ContactTable, SourceId)) -> Result<i64, StoreError> {
        let ((contacts, key, _), (others, other_key, _)) = (tables(table), tables(other_table));
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT count(*) FROM {contacts} c WHERE c.{key} = $1
               AND EXISTS (SELECT 1 FROM {others} o WHERE o.{other_key} = $2 AND o.phone_number = c.phone_number)"
        ));
        Ok(on!(self.pool(), |db| sqlx::query_scalar(sql).bind(list).bind(other).fetch_one(db).await?))
    }

    /// Everybody in a campaign's list by where they stand. Looks at all of them: whoever asks often keeps the answer.
    pub async fn headcount(&self, row: &CampaignRow) -> Result<People, StoreError> {
        let Some(source) = row.source_id() else { return Ok(People::of_calls(&row.counts)) };
        let (contacts, key, _) = tables(row.contact_source);
        // Behind this place in the list people have no row yet, or would get one by a new start.
        let (behind, stopped) = match (row.execution_status, row.fill_position) {
            (Status::Idle, _) => (-1, false),
            (Status::Completed, _) if row.was_stopped() => (-1, true),
            (Status::Completed, _) => (i64::MAX, false),
            (_, position) => (position.unwrap_or(i64::MAX), false),
        };
        let sql = say(
            self.kind(),
            &format!(
                "SELECT {PARTS} AS part, count(*) AS n
                 FROM (SELECT {EACH}, CASE WHEN c.do_not_call = #yes OR {} THEN 1 ELSE 0 END AS silent
                       FROM {contacts} c LEFT JOIN ({CALLED}) AS p ON p.contact_id = c.id WHERE c.{key} = $2) AS people
                 GROUP BY 1",
                listed!("$3", "c.phone_number")
            ),
        );
        let parts: Vec<Part> = on!(self.pool(), |db| sqlx::query_as(sql)
            .bind(row.id)
            .bind(source)
            .bind(row.user_id)
            .bind(row.retry.0.max_attempts)
            .bind(behind)
            .bind(i64::from(stopped))
            .fetch_all(db)
            .await?);
        let n = |part: &str| parts.iter().find(|p| p.part == part).map_or(0, |p| p.n);
        Ok(People {
            contacts: parts.iter().map(|p| p.n).sum(),
            on_the_line: n("on_the_line"),
            waiting: n("waiting") + n("again"),
            again: n("again"),
            do_not_call: n("do_not_call"),
            stopped: n("stopped"),
            turned_away: n("turned_away"),
            not_reached: n("not_reached"),
            called: n("called"),
        })
    }
}
