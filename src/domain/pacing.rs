//! How many calls a campaign may begin now, and if none, when: by the delay between its calls and by the
//! calls per second of its trunk.

use chrono::{DateTime, Duration, Utc};

/// Preparing a room and its agent takes about half a second; so much earlier than its dial a call
/// is claimed, so that the delay between dials is not lengthened by it.
const LEAD: Duration = Duration::milliseconds(1500);

/// A prepared call may wait so long for a token of its trunk's bucket, with an agent in its room.
const TOKEN_LEAD: Duration = Duration::seconds(4);

/// How many of `most` calls may be claimed by the delay between dials; if none, when one may.
///
/// # Errors
/// With the moment of the next one.
pub fn turns(now: DateTime<Utc>, most: i64, preparing: i64, call_delay_ms: i64, next_call_at: Option<DateTime<Utc>>) -> Result<usize, DateTime<Utc>> {
    if call_delay_ms == 0 {
        return Ok(usize::try_from(most).unwrap_or(0));
    }
    // The calls already preparing take the next moments; this one would be after them.
    let delay = Duration::milliseconds(call_delay_ms);
    let mut turn = next_call_at.unwrap_or(now).max(now) + delay * i32::try_from(preparing).unwrap_or(i32::MAX);
    let mut n = 0;
    while n < most && turn - LEAD <= now {
        n += 1;
        turn += delay;
    }
    if n > 0 { Ok(usize::try_from(n).unwrap_or(0)) } else { Err(turn - LEAD) }
}

/// How many calls more than those `preparing` a trunk's bucket has tokens for soon; if none, when for one.
///
/// # Errors
/// With the moment of the next one.
pub fn tokens_ahead(tokens: f64, calls_per_second: f64, preparing: i64, now: DateTime<Utc>) -> Result<i64, DateTime<Utc>> {
    #[expect(clippy::cast_precision_loss, reason = "a handful of calls and seconds")]
    let (spoken_for, lead) = (preparing as f64, TOKEN_LEAD.num_seconds() as f64);
    let left = tokens + calls_per_second * lead - spoken_for;
    #[expect(clippy::cast_possible_truncation, reason = "calls of a few seconds; a rate beyond i64 saturates")]
    if left >= 1.0 {
        return Ok(left as i64);
    }
    #[expect(clippy::cast_possible_truncation, reason = "a few tokens at a positive rate: small")]
    let wait = ((1.0 - left) / calls_per_second.max(0.001) * 1000.0).ceil().min(3_600_000.0) as i64;
    Err(now + Duration::milliseconds(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_under_a_delay() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(turns(now, 5, 0, 2000, None), Ok(1));
        assert_eq!(turns(now, 5, 0, 2000, Some(now + Duration::seconds(5))), Err(now + Duration::milliseconds(3500)));
        assert_eq!(turns(now, 5, 1, 2000, None), Err(now + Duration::milliseconds(500)));
        assert_eq!(turns(now, 5, 1, 0, None), Ok(5));
    }

    #[test]
    fn no_more_than_the_bucket_has_tokens_for_soon() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(tokens_ahead(1.0, 1.0, 0, now), Ok(5));
        assert_eq!(tokens_ahead(1.0, 1.0, 5, now), Err(now + Duration::seconds(1)));
        assert_eq!(tokens_ahead(0.0, 0.1, 0, now), Err(now + Duration::seconds(6)));
        assert_eq!(tokens_ahead(0.0, 1000.0, 40, now), Ok(3960));
    }
}
