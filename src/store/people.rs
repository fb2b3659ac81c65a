//! People found while somebody types: contacts of a list, and numbers of the do-not-call list. No index has the
//! middle of a name, so a page looks at a bounded number of rows, in the order of an index, and says where to go on.

use uuid::Uuid;

use super::{
    ContactRow, SourceRow, Store, StoreError, SuppressedRow,
    pool::on,
    roster::CONTACT,
    sources::tables,
    sql::{Said, Value, bound, sql},
};
use crate::domain::id::{ContactId, OwnerId, SourceId};

/// Which contacts of a list are wanted. What is empty asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactSearch {
    pub list: SourceId,
    /// Parts of the name, the company or the e-mail address, and digits of the number.
    pub text: String,
    /// Where the page before ended.
    pub after: Option<(i64, ContactId)>,
    pub limit: usize,
}

/// A page of them, the last of the file first.
#[derive(Debug, Clone, Default)]
pub struct FoundContacts {
    pub rows: Vec<ContactRow>,
    /// Where the next page goes on; `None` at the end. A page may be short, even empty, and have one.
    pub next: Option<(i64, ContactId)>,
}

/// Which numbers of the do-not-call list are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSearch {
    /// Digits of the number.
    pub digits: String,
    pub after: Option<String>,
    pub limit: usize,
}

/// A page of them, in the order of the numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FoundListed {
    pub rows: Vec<SuppressedRow>,
    pub next: Option<String>,
    /// On the list, where no digits were asked for; more than [`COUNTED`] are not counted.
    pub total: Option<i64>,
}

/// Rows looked at for one page: a few milliseconds of them.
const LOOK: i64 = 5_000;
/// Numbers that are counted.
pub const COUNTED: i64 = 20_000;

impl Store {
    pub async fn find_contacts(&self, owner: OwnerId, source: &SourceRow, q: &ContactSearch) -> Result<FoundContacts, StoreError> {
        let (contacts, key, lists) = tables(source.source);
        // Behind the last of them.
        let (place, id) = q.after.unwrap_or((i64::MAX, ContactId(Uuid::max())));
        let limit = i64::try_from(q.limit.clamp(1, 500)).unwrap_or(100);
        // Where all fit, no more is looked at than is shown.
        let look = if q.text.trim().is_empty() { limit } else { LOOK };
        let edge = sqlx::AssertSqlSafe(format!("SELECT position FROM {contacts} WHERE {key} = $1 AND position <= $2 ORDER BY position DESC LIMIT 1 OFFSET $3"));
        // As far as this look goes, by the index alone; where all that many stand at one place, to the end.
        let edge: Option<i64> = on!(self.pool(), |db| sqlx::query_scalar(edge).bind(source.id).bind(place).bind(look).fetch_optional(db).await?);
        let edge = edge.filter(|at| *at < place);
        let mut sql =
            Said::new(format!("SELECT {CONTACT}, c.{key} AS source_id, s.columns FROM {contacts} c JOIN {lists} s ON s.id = c.{key} WHERE c.{key} = "));
        sql.bind(Value::Id(source.id.0)).push(" AND (c.position, c.id) < (").bind(Value::Int(place)).push(", ").bind(Value::Id(id.0));
        sql.push(") AND c.position >= ").bind(Value::Int(edge.unwrap_or(i64::MIN)));
        sql.push(" AND s.status = 'completed' AND s.deleted_at IS NULL AND s.user_id = ").bind(Value::Id(owner.0));
        matching(&mut sql, &q.text);
        sql.push(" ORDER BY c.position DESC, c.id DESC LIMIT ").bind(Value::Int(limit));
        let text = sql.text(self.kind());
        on!(self.pool(), |db| {
            let rows: Vec<ContactRow> = bound!(sqlx::query_as(text), sql).fetch_all(db).await?;
            let full = i64::try_from(rows.len()).unwrap_or(limit) == limit;
            // All of the edge's own place were looked at.
            let next = if full { rows.last().map(|r| (r.position, r.id)) } else { edge.map(|at| (at, ContactId(Uuid::nil()))) };
            Ok(FoundContacts { rows: rows.into_iter().map(ContactRow::named).collect(), next })
        })
    }

    pub async fn find_listed(&self, owner: OwnerId, q: &ListedSearch) -> Result<FoundListed, StoreError> {
        let limit = i64::try_from(q.limit.clamp(1, 500)).unwrap_or(100);
        let digits: String = q.digits.chars().filter(char::is_ascii_digit).collect();
        let look = if digits.is_empty() { limit } else { LOOK };
        let after = q.after.clone().unwrap_or_default();
        let sql = sql!(
            self.kind(),
            "SELECT * FROM (SELECT number, reason, source, created_by, created_at FROM do_not_call WHERE user_id = $1 AND number > $2 ORDER BY number LIMIT $3) AS page
                   WHERE #holds(number, $4) ORDER BY number LIMIT $5"
        );
        let last = "SELECT number FROM do_not_call WHERE user_id = $1 AND number > $2 ORDER BY number LIMIT 1 OFFSET $3";
        // So many and no more: a long list is not counted anew at each look.
        let count = "SELECT count(*) FROM (SELECT 1 FROM do_not_call WHERE user_id = $1 LIMIT $2) AS counted";
        on!(self.pool(), |db| {
            let rows: Vec<SuppressedRow> = sqlx::query_as(sql).bind(owner).bind(&after).bind(look).bind(&digits).bind(limit).fetch_all(db).await?;
            let full = i64::try_from(rows.len()).unwrap_or(limit) == limit;
            let next = if full {
                rows.last().map(|r| r.number.clone())
            } else {
                sqlx::query_scalar(last).bind(owner).bind(&after).bind(look - 1).fetch_optional(db).await?
            };
            let whole = digits.is_empty() && q.after.is_none();
            let total = if whole { Some(sqlx::query_scalar(count).bind(owner).bind(COUNTED + 1).fetch_one(db).await?) } else { None };
            Ok(FoundListed { rows, next, total })
        })
    }
}

/// Every word somewhere in a contact. A number as it is written, with its spaces and brackets, is one.
fn matching(sql: &mut Said, text: &str) {
    let number = text.chars().any(|c| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || " +-().".contains(c));
    let words: Vec<String> = if number { vec![text.to_owned()] } else { text.split_whitespace().map(str::to_owned).collect() };
    for word in words {
        let digits: String = word.chars().filter(char::is_ascii_digit).collect();
        let only = !digits.is_empty() && word.chars().all(|c| c.is_ascii_digit() || " +-().".contains(c));
        sql.push(" AND (");
        if only {
            sql.push("#holds(c.phone_number, ").bind(Value::Text(digits)).push(") OR ");
        }
        for (i, form) in forms(&word).into_iter().enumerate() {
            for (j, column) in ["c.name", "c.company", "c.email"].iter().enumerate() {
                sql.push(if i + j == 0 { "" } else { " OR " }).push(column).push(" #like ").bind(Value::Text(form.clone())).push(" ESCAPE '!'");
            }
        }
        sql.push(")");
    }
}

/// As it is typed, in small letters, and with a capital: LIKE knows only those of ASCII to be alike.
fn forms(word: &str) -> Vec<String> {
    let plain = |w: &str| format!("%{}%", w.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
    let small = word.to_lowercase();
    let mut letters = small.chars();
    let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let mut all = vec![plain(word)];
    if !word.is_ascii() {
        all.extend([plain(&small), plain(&capital), plain(&word.to_uppercase())]);
        all.dedup();
    }
    all
}
