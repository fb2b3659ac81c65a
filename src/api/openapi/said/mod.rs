//! What is said of each route: in a sentence what it does, what it takes, what it answers. Paths and roles are the
//! table's own.

mod calls;
mod campaigns;
mod contacts;
mod installation;
mod livekit;

use serde_json::{Value, json};
use utoipa::ToSchema;

use super::schemas::{Maker, body, count, row, rows, text};
use crate::api::Route;

/// The chapters, in their order.
pub const TAGS: &[&str] = &[CAMPAIGNS, CALLS, LIVEKIT, CONTACTS, DO_NOT_CALL, NUMBERS, INSTALLATION];

const CAMPAIGNS: &str = "Campaigns";
const CALLS: &str = "Calls";
const LIVEKIT: &str = "LiveKit and Twilio";
const CONTACTS: &str = "Contacts";
const DO_NOT_CALL: &str = "Do not call";
const NUMBERS: &str = "Assistants and numbers";
const INSTALLATION: &str = "The installation";

pub struct Query {
    pub name: &'static str,
    pub words: &'static str,
    pub schema: fn() -> Value,
}

pub enum Body {
    Json {
        schema: Maker,
        needed: bool,
    },
    /// A file in a form, with these fields before or after it.
    Form(&'static [(&'static str, &'static str)]),
    /// Signed forms; unknown fields are kept.
    Twilio(&'static [&'static str]),
    LiveKit,
}

pub enum Answer {
    /// Each with its schema, and whether it is always there.
    Keys(Vec<(&'static str, Maker, bool)>),
    Nothing,
    /// Of this content type.
    Text(&'static str),
    Document,
}

/// What is said of one route.
pub struct Said {
    method: &'static str,
    path: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    /// More sentences, each with a space behind it.
    pub more: &'static str,
    pub query: Vec<&'static Query>,
    pub body: Option<Body>,
    pub status: u16,
    /// The same answer by another status.
    pub also: Option<u16>,
    pub answer: Answer,
    pub refuses: &'static [u16],
    /// An `Idempotency-Key` is heeded.
    pub once: bool,
    pub location: bool,
}

pub fn all() -> Vec<Said> {
    let tables = [campaigns::table(), calls::table(), livekit::table(), contacts::table(), installation::table()];
    tables.into_iter().flatten().collect()
}

fn say(tag: &'static str, method: &'static str, path: &'static str, summary: &'static str) -> Said {
    Said {
        method,
        path,
        tag,
        summary,
        more: "",
        query: Vec::new(),
        body: None,
        status: 200,
        also: None,
        answer: Answer::Keys(Vec::new()),
        refuses: &[],
        once: false,
        location: false,
    }
}

static LIMIT: Query = Query { name: "limit", words: "Rows at most", schema: || json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 50 }) };
static OFFSET: Query = Query { name: "offset", words: "Rows left out before the first", schema: || json!({ "type": "integer", "minimum": 0, "default": 0 }) };

impl Said {
    pub fn is_of(&self, route: &Route) -> bool {
        self.method == route.method.as_str() && self.path == route.path
    }

    fn more(mut self, words: &'static str) -> Self {
        self.more = words;
        self
    }

    fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some(Body::Json { schema: body::<T>, needed: true });
        self
    }

    /// A body that may be left out.
    fn may_take<T: ToSchema>(mut self) -> Self {
        self.body = Some(Body::Json { schema: body::<T>, needed: false });
        self
    }

    fn comes_as(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    fn key(mut self, name: &'static str, schema: Maker) -> Self {
        if let Answer::Keys(keys) = &mut self.answer {
            keys.push((name, schema, true));
        }
        self
    }

    /// Where there is something to be said by it.
    fn may_have(mut self, name: &'static str, schema: Maker) -> Self {
        if let Answer::Keys(keys) = &mut self.answer {
            keys.push((name, schema, false));
        }
        self
    }

    fn with<T: ToSchema>(self, name: &'static str) -> Self {
        self.key(name, row::<T>)
    }

    /// A list, in pages.
    fn list<T: ToSchema>(mut self, name: &'static str) -> Self {
        self.query.extend([&LIMIT, &OFFSET]);
        self.key(name, rows::<T>).key("total", count)
    }

    fn message(self) -> Self {
        self.key("message", text)
    }

    fn asks(mut self, query: &'static Query) -> Self {
        self.query.push(query);
        self
    }

    fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Made: 201, and where it is.
    fn made(mut self) -> Self {
        (self.status, self.location) = (201, true);
        self
    }

    fn also(mut self, status: u16) -> Self {
        self.also = Some(status);
        self
    }

    fn answers(mut self, answer: Answer) -> Self {
        self.answer = answer;
        self
    }

    fn conflicts(mut self) -> Self {
        self.refuses = &[409];
        self
    }

    /// What a body names may not be there, or another owner's.
    fn misses(mut self) -> Self {
        self.refuses = &[404, 409];
        self
    }

    /// It may have to wait.
    fn not_yet(mut self) -> Self {
        self.refuses = &[503];
        self
    }

    fn once(mut self) -> Self {
        self.once = true;
        self
    }
}
