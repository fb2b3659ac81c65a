//! Counters: every figure on the screen is a sum over calls. A call's contribution is one pure
//! function, a change adds the difference, and so the totals always equal the rows.

use super::{call::State, outcome::Outcome};

macro_rules! counters {
    ($($field:ident),+ $(,)?) => {
        /// Sums over the calls of one campaign; the columns of `campaign_counts`.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::FromRow)]
        pub struct Counts { $(pub $field: i64),+ }

        impl Counts {
            /// Column names, in the order of [`Counts::values`].
            pub const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

            #[must_use]
            pub fn values(&self) -> Vec<i64> {
                vec![$(self.$field),+]
            }
        }

        impl std::ops::Sub for Counts {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self { $($field: self.$field - other.$field),+ }
            }
        }

        impl std::ops::Mul<i64> for Counts {
            type Output = Self;
            fn mul(self, n: i64) -> Self {
                Self { $($field: self.$field * n),+ }
            }
        }

        impl std::ops::AddAssign for Counts {
            fn add_assign(&mut self, other: Self) {
                $(self.$field += other.$field;)+
            }
        }
    };
}

counters!(
    total,
    pending,
    processing,
    live,
    answered_now,
    completed,
    failed,
    no_answer,
    busy,
    canceled,
    dials,
    pickups,
    interested,
    not_interested,
    callback,
    do_not_call,
    voicemail,
    wrong_number,
    untagged,
    talk_seconds,
);

impl Counts {
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// What a campaign came to that has nobody left to call.
    #[must_use]
    pub fn done_words(&self) -> String {
        let not_made = match self.canceled {
            1 => "1 call was not made, its row says why".to_owned(),
            n => format!("{n} calls were not made, their rows say why"),
        };
        match (self.dials, self.canceled) {
            (0, 0) => "nobody was left to call".to_owned(),
            (0, _) => format!("nobody was called: {not_made}"),
            (_, 0) => "all contacts were called".to_owned(),
            _ => format!("everybody else was called: {not_made}"),
        }
    }
}

/// What a call's row contributes.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    pub state: State,
    /// Whether it ever reached armed.
    pub armed: bool,
    /// Whether a leg was seen: an unknown call holds a line only then.
    pub leg_seen: bool,
    pub answered: bool,
    pub outcome: Option<Outcome>,
    pub talk_seconds: i64,
}

#[must_use]
pub fn contribution(t: &Tally) -> Counts {
    let mut c = Counts { total: 1, ..Counts::default() };
    let s = t.state;
    c.pending = i64::from(s == State::Pending);
    c.processing = i64::from(!s.is_ended() && s != State::Pending);
    c.live = i64::from(s.holds_line(t.leg_seen));
    c.answered_now = i64::from(s == State::Answered);
    match s.wire() {
        "completed" => c.completed = 1,
        "failed" => c.failed = 1,
        "no_answer" => c.no_answer = 1,
        "busy" => c.busy = 1,
        "canceled" => c.canceled = 1,
        _ => {}
    }
    c.dials = i64::from(t.armed && !s.never_rang());
    c.pickups = i64::from(t.answered);
    c.talk_seconds = t.talk_seconds;
    match t.outcome {
        Some(Outcome::Interested) => c.interested = 1,
        Some(Outcome::NotInterested) => c.not_interested = 1,
        Some(Outcome::Callback) => c.callback = 1,
        Some(Outcome::DoNotCall) => c.do_not_call = 1,
        Some(Outcome::Voicemail) => c.voicemail = 1,
        Some(Outcome::WrongNumber) => c.wrong_number = 1,
        None => c.untagged = i64::from(t.answered && s.is_ended()),
    }
    c
}

macro_rules! pace {
    ($($(#[$doc:meta])* $field:ident),+ $(,)?) => {
        /// Sums over the calls that were armed in one minute, live ones included: what was made of the dials of then.
        /// The columns of `campaign_minutes`.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct Pace { $($(#[$doc])* pub $field: i64),+ }

        impl Pace {
            pub const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

            #[must_use]
            pub fn values(&self) -> Vec<i64> {
                vec![$(self.$field),+]
            }
        }

        impl std::ops::Sub for Pace {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self { $($field: self.$field - other.$field),+ }
            }
        }

        impl std::ops::AddAssign for Pace {
            fn add_assign(&mut self, other: Self) {
                $(self.$field += other.$field;)+
            }
        }
    };
}

pace!(
    /// Requests that were sent.
    armed,
    /// `dialled`: those of them of which it is not known that they never rang. Every figure of dials is this one.
    dials,
    answered,
    /// Answered, and no agent came.
    abandoned,
    /// Ended by a fault: of the trunk, of LiveKit, or of ours.
    failed,
    talk_seconds,
);

impl std::iter::Sum for Pace {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, pace| {
            sum += pace;
            sum
        })
    }
}

/// A part of a whole, per cent; `None` of nothing.
fn percent(part: i64, whole: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a share that is shown with one digit")]
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

impl Pace {
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// `answered`: of the dials.
    #[must_use]
    pub fn answered_percent(&self) -> Option<f64> {
        percent(self.answered, self.dials)
    }

    /// Of the answers, as the law counts it.
    #[must_use]
    pub fn abandoned_percent(&self) -> Option<f64> {
        percent(self.abandoned, self.answered)
    }

    /// `failed`: of all requests that were sent, those that never rang among them.
    #[must_use]
    pub fn failed_percent(&self) -> Option<f64> {
        percent(self.failed, self.armed)
    }

    /// A talk's length on the average, seconds.
    #[must_use]
    pub fn talk_average(&self) -> Option<i64> {
        (self.answered > 0).then(|| self.talk_seconds / self.answered)
    }
}

/// What an armed call's row contributes to its minute. Whether an agent came is noted apart, once.
#[must_use]
pub fn pace(state: State, counts: &Counts) -> Pace {
    Pace { armed: 1, dials: counts.dials, answered: counts.pickups, abandoned: 0, failed: i64::from(state.is_fault()), talk_seconds: counts.talk_seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dial_that_never_rang_is_no_dial() {
        let t = Tally { state: State::Unsent, armed: true, leg_seen: false, answered: false, outcome: None, talk_seconds: 0 };
        assert_eq!((contribution(&t).dials, contribution(&t).failed), (0, 1));
        assert_eq!(contribution(&Tally { state: State::Unresolved, ..t }).dials, 1, "counts as rung");
    }

    #[test]
    fn a_campaign_that_called_nobody_does_not_say_that_it_did() {
        let words = |dials, canceled| Counts { canceled, dials, ..Counts::default() }.done_words();
        assert_eq!(words(3, 0), "all contacts were called");
        assert_eq!(words(0, 2), "nobody was called: 2 calls were not made, their rows say why");
        assert_eq!(words(3, 1), "everybody else was called: 1 call was not made, its row says why");
        assert_eq!(words(0, 0), "nobody was left to call");
    }

    #[test]
    fn columns_and_values_agree() {
        let c = Counts { total: 1, talk_seconds: 2, ..Counts::default() };
        assert_eq!(c.values().len(), Counts::COLUMNS.len());
        assert_eq!((c.values()[0], *c.values().last().unwrap()), (1, 2));
    }
}
