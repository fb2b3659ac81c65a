use std::time::Instant;

use chrono::{DateTime, Duration, Utc};
use dialdeck::{
    domain::{call::State, outcome::Outcome},
    store::{CallSearch, Found},
};
use sqlx::Connection;

use crate::{quantiles, setup};

const TIMES: usize = 200;
const CALLS: u32 = 1_000_000;

/// Runs it often and prints how long it took.
macro_rules! timed {
    ($what:expr, $run:expr) => {{
        let mut times = Vec::with_capacity(TIMES);
        let mut last = None;
        for _ in 0..TIMES {
            let started = Instant::now();
            last = Some($run.await.unwrap());
            times.push(started.elapsed());
        }
        println!("{:<44} {}", $what, quantiles(times));
        last.unwrap()
    }};
}

pub fn run() {
    setup::runtime().block_on(async {
        let bench = setup::Bench::new().await;
        bench.fill(CALLS, CALLS - 60, 60).await;
        spread(&bench).await;
        let started = Instant::now();
        bench.desk.index_calls().await.unwrap();
        let each = started.elapsed() / CALLS;
        println!("words of {CALLS} calls made searchable in {:.1} s, {} us each, in slices", started.elapsed().as_secs_f64(), each.as_micros());
        searches(&bench).await;
        rooms(&bench).await;
    });
}

/// Calls over two months, by names, outcomes, operators and results as they are met.
async fn spread(bench: &setup::Bench) {
    let mut db = sqlx::SqliteConnection::connect(bench.url.trim_start_matches("sqlite:")).await.unwrap();
    for sql in [
        "PRAGMA synchronous = OFF",
        "PRAGMA temp_store = memory",
        "PRAGMA cache_size = -200000",
        "UPDATE campaign_calls SET
            contact_name = substr('JaneOmarL.  Mei P.  Ana T.  RaviLars', 1 + dialled % 9 * 4, 4) || ' ' ||
                char(65 + dialled % 26, 97 + dialled / 26 % 26, 97 + dialled / 676 % 26, 97 + dialled / 17576 % 26),
            armed_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', '2026-09-21T20:06:40', '+' || (dialled * 5) || ' seconds'),
            answered_at = CASE WHEN dialled % 5 < 2 THEN strftime('%Y-%m-%dT%H:%M:%S+00:00', '2026-09-21T20:06:49', '+' || (dialled * 5) || ' seconds') END,
            completed_at = CASE WHEN rank >= 90 THEN strftime('%Y-%m-%dT%H:%M:%S+00:00', '2026-09-21T20:07:40', '+' || (dialled * 5) || ' seconds') END,
            state = CASE WHEN rank < 90 THEN state WHEN dialled % 5 < 2 THEN 'completed' WHEN dialled % 50 = 3 THEN 'failed' WHEN dialled % 10 = 4 THEN 'busy' ELSE 'no_answer' END,
            outcome = NULL WHERE dialled IS NOT NULL",
        "UPDATE campaign_calls SET outcome_who = 'operator', outcome_at = completed_at,
            outcome_by = CASE WHEN dialled % 997 = 0 THEN 'tom' WHEN dialled % 3 = 0 THEN 'ana' ELSE 'bob' END,
            outcome = CASE WHEN dialled % 1000 = 0 THEN 'wrong_number' WHEN dialled % 200 = 1 THEN 'do_not_call' WHEN dialled % 20 < 2 THEN 'interested' ELSE 'not_interested' END
         WHERE state = 'completed' AND dialled < 999000",
        "UPDATE campaign_calls SET notes = 'Calls back from office ' || (dialled % 5000) || ', asks for offer' || dialled || ' in writing'
         WHERE dialled % 20 = 0",
        "DELETE FROM campaign_minutes",
        "INSERT INTO campaign_minutes (campaign_id, minute, armed, dials, answered, failed, talk_seconds)
         SELECT campaign_id, unixepoch(armed_at) / 60, count(*), count(*), count(answered_at), count(*) FILTER (WHERE state = 'failed'), sum(call_duration)
         FROM campaign_calls WHERE dialled IS NOT NULL GROUP BY 1, 2",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ] {
        sqlx::query(sql).execute(&mut db).await.unwrap();
    }
    db.close().await.unwrap();
}

async fn searches(bench: &setup::Bench) {
    let all = CallSearch::all(bench.actor.owner, 50);
    let text = |text: &str| CallSearch { text: text.into(), ..all.clone() };
    let day: DateTime<Utc> = "2026-10-12T00:00:00Z".parse().unwrap();
    let states = |s: &[State]| CallSearch { states: s.to_vec(), ..all.clone() };
    let dated = CallSearch { from: Some(day), until: Some(day + Duration::days(1)), ..all.clone() };
    let tagged = |who: &str| CallSearch { tagged_by: Some(who.into()), ..all.clone() };
    let outcome = |outcome| CallSearch { outcome: Some(outcome), ..all.clone() };
    let campaign = CallSearch { campaign: Some(bench.campaign), ..all.clone() };
    let kinds = [
        ("all, newest first", all.clone()),
        ("1 digit", text("7")),
        ("3 digits", text("142")),
        ("4 digits", text("0142")),
        ("7 digits", text("2340142")),
        ("name, 1 letter", text("j")),
        ("name, 3 letters", text("jan")),
        ("name, rare word", text("qxyz")),
        ("name and digits", text("jane 0142")),
        ("note, common word", text("writing")),
        ("note, rare word", text("offer999980")),
        ("name and word of the note", text("jane writing")),
        ("a word that nobody has", text("zebra")),
        ("campaign", campaign.clone()),
        ("day", dated.clone()),
        ("day and name", CallSearch { text: "jane".into(), ..dated.clone() }),
        ("outcome, common", outcome(Outcome::NotInterested)),
        ("outcome, rare", outcome(Outcome::WrongNumber)),
        ("operator, common", tagged("bob")),
        ("operator, rare", tagged("tom")),
        ("operator and outcome", CallSearch { outcome: Some(Outcome::Interested), ..tagged("ana") }),
        ("state, common", states(&[State::NoAnswer])),
        ("state, rare", states(&[State::Failed])),
        ("state, live", states(&[State::Dialing])),
        ("name and rare outcome (bounded)", CallSearch { text: "jane".into(), ..outcome(Outcome::WrongNumber) }),
    ];
    for (what, q) in kinds {
        let Found { rows, next, .. } = timed!(what, bench.store.find_calls(&q));
        println!("    {} found{}", rows.len(), if next.is_some() { ", and more" } else { "" });
        if let Some(after) = next.filter(|_| what == "all, newest first") {
            let q = CallSearch { after: Some(after), ..q };
            timed!("    its second page", bench.store.find_calls(&q));
        }
    }
}

async fn rooms(bench: &setup::Bench) {
    let (desk, owner) = (&bench.desk, bench.actor.owner);
    let now = bench.clock.now();
    let number: String = bench.store.find_calls(&CallSearch::all(owner, 1)).await.unwrap().rows[0].call.phone_number.clone();
    let call = bench.store.tagging_queue(owner, None, 1).await.unwrap()[0].call.id;
    timed!("one number's story", desk.number_story(owner, &number));
    timed!("head of the deck with the hour's trend", desk.figures(owner));
    timed!("away for 10 hours", desk.away(owner, now - Duration::hours(10)));
    timed!("a shift's report", desk.shift_report(owner, now - Duration::hours(8), now));
    timed!("tagging desk, 200 rows", desk.tagging_desk(owner, "ana", now - Duration::hours(12), 200));
    timed!("one call to tag", desk.tag_card(owner, call));
    let row = bench.row().await;
    timed!("campaign room, its queue empty", desk.campaign_room(row.clone()));
    timed!("all systems", desk.systems(owner));
}
